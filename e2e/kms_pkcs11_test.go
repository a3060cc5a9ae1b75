package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// softHSM is Debian's SoftHSM with a token in a folder of the test's own.
type softHSM struct {
	t      *testing.T
	module string
	env    []string
}

const pin = "1234"

// newSoftHSM fails, and says what to install, where there is no SoftHSM: .ci/run installs it.
func newSoftHSM(t *testing.T) *softHSM {
	t.Helper()
	var module string
	for _, pattern := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			module = found[0]
			break
		}
	}
	for _, tool := range []string{"softhsm2-util", "pkcs11-tool"} {
		if _, err := exec.LookPath(tool); err != nil || module == "" {
			t.Fatalf("SoftHSM or OpenSC is not here (%v): apt-get install softhsm2 opensc, or ./.ci/install-softhsm", err)
		}
	}
	dir := t.TempDir()
	tokens, config := filepath.Join(dir, "tokens"), filepath.Join(dir, "softhsm2.conf")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &softHSM{t, module, []string{"SOFTHSM2_CONF=" + config}}
	h.run("softhsm2-util", "--init-token", "--free", "--label", "ci", "--pin", pin, "--so-pin", "12345678")
	return h
}

func (h *softHSM) run(tool string, args ...string) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), tool, args...)
	cmd.Env = append(os.Environ(), h.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
}

func (h *softHSM) makeKey(kind, label, id string) {
	h.t.Helper()
	h.run("pkcs11-tool", "--module", h.module, "--token-label", "ci", "--login", "--pin", pin,
		"--keypairgen", "--key-type", kind, "--label", label, "--id", id)
}

var pkcs11Kinds = map[string]string{
	"ecdsa-p256": "EC:prime256v1", "ecdsa-p384": "EC:secp384r1", "ecdsa-p521": "EC:secp521r1",
	"rsa-2048": "rsa:2048", "rsa-4096": "rsa:4096",
}

// TestKMSPKCS11 proves that runattest signs with keys that never leave a PKCS#11 module, for
// each kind of key, and that a PIN and a key are asked for rightly. The module is SoftHSM: a
// real module by interface, and no hardware.
func TestKMSPKCS11(t *testing.T) {
	hsm := newSoftHSM(t)
	d := newKMSDesk(t, append(hsm.env, "PKCS11_MODULE_PATH="+hsm.module)...)
	withPIN := d.with("PKCS11_PIN=" + pin)
	i := 0
	for _, a := range algorithms {
		kind, ok := pkcs11Kinds[a.name]
		if !ok {
			continue
		}
		i++
		hsm.makeKey(kind, a.name, "0"+string(rune('0'+i)))
		t.Run(a.name, func(t *testing.T) { withPIN.in(t).roundTrip("pkcs11://token=ci;object="+a.name, a) })
	}
	t.Run("key by id, PIN from a file, module in the reference", func(t *testing.T) {
		d := d.in(t)
		d.write("pin", []byte(pin+"\n"))
		d.with("PKCS11_MODULE_PATH=").roundTrip("pkcs11://token=ci;id=%01?module-path="+hsm.module+"&pin-source="+d.path("pin"), algorithms[0])
	})
	t.Run("two keys of one label", func(t *testing.T) {
		hsm.makeKey("EC:prime256v1", "twins", "21")
		hsm.makeKey("EC:prime256v1", "twins", "22")
		withPIN.in(t).fails("pkcs11://token=ci;object=twins", "2 keys match; name one by id")
	})
	ref := "pkcs11://token=ci;object=ecdsa-p256"
	t.Run("wrong PIN", func(t *testing.T) { d.in(t).with("PKCS11_PIN=0000").fails(ref, "CKR_PIN_INCORRECT") })
	t.Run("no PIN", func(t *testing.T) { d.in(t).fails(ref, "without a PIN (PKCS11_PIN, or pin-source)") })
	t.Run("no module", func(t *testing.T) { withPIN.in(t).with("PKCS11_MODULE_PATH=").fails(ref, "set PKCS11_MODULE_PATH") })
	t.Run("no such key", func(t *testing.T) { withPIN.in(t).fails("pkcs11://token=ci;object=none", "not found") })
	t.Run("no such token", func(t *testing.T) {
		withPIN.in(t).fails("pkcs11://token=none;object=x", "could not find PKCS#11 token")
	})
	t.Run("PIN in the reference", func(t *testing.T) { d.in(t).fails(ref+"?pin-value="+pin, "would show the PIN") })
	t.Run("unknown attribute", func(t *testing.T) { d.in(t).fails(ref+";colour=red", "attribute colour is not supported") })
}

// TestKMSCosign proves that a plugin of ours is a plugin of cosign's, too: under another
// name, since cosign takes awskms:// and the like, and pkcs11:, for itself. What cosign signs
// with the key, runattest verifies with it, and the other way about.
func TestKMSCosign(t *testing.T) {
	hsm := newSoftHSM(t)
	hsm.makeKey("EC:prime256v1", "signer", "01")
	d := newKMSDesk(t, append(hsm.env, "PKCS11_MODULE_PATH="+hsm.module, "PKCS11_PIN="+pin)...)
	folder := t.TempDir()
	if err := os.Symlink(filepath.Join(d.plugins, "sigstore-kms-pkcs11"), filepath.Join(folder, "sigstore-kms-hsm")); err != nil {
		t.Fatal(err)
	}
	d = d.with("PATH=" + folder)
	const ref = "hsm://token=ci;object=signer"
	if got := string(d.cosign("public-key", "--key", ref).ok()); strings.TrimSpace(got) != strings.TrimSpace(string(d.runattest("public-key", "--key", ref).ok())) {
		t.Errorf("cosign and runattest see different keys:\n%s", got)
	}
	d.runattest("sign", "--key", ref, "--bundle", "ours.sigstore.json", "run.json").ok()
	d.cosignVerifies(ref, "ours.sigstore.json", "canonical.json").ok()
	d.statement("ours.sigstore.json", "statement.json")
	d.cosignAttests(ref, "statement.json", "cosign.sigstore.json", d.withoutServices()).ok()
	d.verified(ref, "cosign.sigstore.json")
}
