package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// vaultTransit is a Vault of this test's own.
type vaultTransit struct {
	t              *testing.T
	Address, Token string
}

// buildVault returns the path of a Vault server, built from the released module in a throw-away
// module: Vault's licence keeps it out of this repository, and its graph out of ours.
//
// Vault v1.21.4 is released against its own copy of its sdk, and the newest sdk that is
// released differs from that in two signatures, which is what adaptSDK is about.
func buildVault() (string, error) {
	const source = "testdata/vaultserver"
	sum := sha256.New()
	for _, name := range []string{"go.mod", "main.go", "restore.go.txt"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", err
		}
		sum.Write(data)
	}
	program, err := filepath.Abs(filepath.Join(bin, fmt.Sprintf("vaultserver-%x", sum.Sum(nil)[:4])))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	fmt.Fprintln(os.Stderr, "e2e: building Vault v1.21.4, which takes minutes")
	dir, err := os.MkdirTemp("", "vaultserver")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"go.mod", "main.go"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	if err := adaptSDK(filepath.Join(source, "restore.go.txt"), filepath.Join(dir, "sdk")); err != nil {
		return "", err
	}
	return program, goBuild(dir, "0", "-mod=mod", "-o", program, ".")
}

// adaptSDK copies the released sdk from the module cache.
func adaptSDK(restore, target string) error {
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/hashicorp/vault/sdk@v0.21.0").Output()
	if err != nil {
		return fmt.Errorf("go mod download: %w\n%s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return err
	}
	if err := copyWritable(module.Dir, target); err != nil {
		return err
	}
	locks := filepath.Join(target, "helper", "keysutil")
	data, err := os.ReadFile(restore)
	return errors.Join(err,
		os.WriteFile(filepath.Join(locks, "restore.go"), data, 0o600),
		replaceIn(filepath.Join(locks, "lock_manager.go"), "LockManager) RestorePolicy(", "LockManager) restorePolicy("),
		replaceIn(filepath.Join(target, "framework", "backend.go"), "*logical.Request, string) error\n", "*logical.Request) error\n"))
}

// copyWritable copies a folder of the module cache, where everything is read-only.
func copyWritable(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o600)
	})
}

func replaceIn(file, from, to string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if bytes.Count(data, []byte(from)) != 1 {
		return fmt.Errorf("%s: %q stands %d times, want once", file, from, bytes.Count(data, []byte(from)))
	}
	return os.WriteFile(file, bytes.Replace(data, []byte(from), []byte(to), 1), 0o600)
}

func startVault(t *testing.T) *vaultTransit {
	t.Helper()
	program, err := buildVault()
	if err != nil {
		t.Fatal(err)
	}
	v := &vaultTransit{t: t}
	startProcess(t, program, v)
	v.post("sys/mounts/transit", `{"type":"transit"}`)
	return v
}

// signerPolicy is the policy of docs/kms.md: all that signing with the key ci takes.
const signerPolicy = `
path "transit/keys/ci" { capabilities = ["read"] }
path "transit/sign/ci" { capabilities = ["update"] }
path "transit/sign/ci/*" { capabilities = ["update"] }
`

// restricted returns a token that may do what the policy says, and nothing else.
func (v *vaultTransit) restricted(policy string) string {
	v.t.Helper()
	body, err := json.Marshal(map[string]string{"policy": policy})
	if err != nil {
		v.t.Fatal(err)
	}
	v.post("sys/policies/acl/signer", string(body))
	var made struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		}
	}
	if err := json.Unmarshal(v.post("auth/token/create", `{"policies":["signer"],"no_default_policy":true}`), &made); err != nil {
		v.t.Fatal(err)
	}
	return made.Auth.ClientToken
}

func (v *vaultTransit) post(path, body string) []byte {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.Address+"/v1/"+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", v.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || response.StatusCode/100 != 2 {
		v.t.Fatalf("%s: %s %v\n%s", path, response.Status, err, answer)
	}
	return answer
}

// TestKMSVault proves that runattest signs and verifies with keys of a real Vault's transit
// engine, of each of our algorithms, and with the newest version of a rotated one.
func TestKMSVault(t *testing.T) {
	v := startVault(t)
	d := newKMSDesk(t, "VAULT_ADDR="+v.Address, "VAULT_TOKEN="+v.Token)
	for _, a := range algorithms {
		v.post("transit/keys/"+a.name, fmt.Sprintf(`{"type":%q}`, a.name))
		t.Run(a.name, func(t *testing.T) { d.in(t).roundTrip("hashivault://"+a.name, a) })
	}
	t.Run("rotated", func(t *testing.T) {
		d := d.in(t)
		const ref = "hashivault://rotated"
		v.post("transit/keys/rotated", `{"type":"ecdsa-p256"}`)
		d.roundTrip(ref, algorithms[0])
		before := slices.Clone(d.read("kms.pub"))
		d.write("before.sigstore.json", d.read("kms.sigstore.json"))
		v.post("transit/keys/rotated/rotate", `{}`)
		d.roundTrip(ref, algorithms[0])
		d.write("before.pub", before)
		d.verified("before.pub", "before.sigstore.json")
		d.notVerified("before.pub", "kms.sigstore.json", "signature", "signer")
	})
	t.Run("least privilege", func(t *testing.T) {
		v.post("transit/keys/ci", `{"type":"ecdsa-p384"}`)
		d := d.in(t).with("VAULT_TOKEN=" + v.restricted(signerPolicy))
		d.roundTrip("hashivault://ci", algorithms[1])
		d.fails("hashivault://ecdsa-p256", "permission denied")
	})
	t.Run("no such key", func(t *testing.T) {
		d.in(t).fails("hashivault://none", "could not read data from transit key path: /transit/keys/none")
	})
	t.Run("key that cannot sign", func(t *testing.T) {
		v.post("transit/keys/aes", `{"type":"aes256-gcm96"}`)
		d.in(t).fails("hashivault://aes", "sigstore-kms-hashivault: ")
	})
	t.Run("wrong token", func(t *testing.T) {
		d.in(t).with("VAULT_TOKEN=wrong").fails("hashivault://ecdsa-p256", "permission denied")
	})
	t.Run("no address", func(t *testing.T) {
		d.in(t).with("VAULT_ADDR=").fails("hashivault://ecdsa-p256", "VAULT_ADDR or BAO_ADDR is not set")
	})
	t.Run("unreachable", func(t *testing.T) {
		d.in(t).with("VAULT_ADDR="+unreachable, "VAULT_MAX_RETRIES=0").fails("hashivault://ecdsa-p256", "connection refused")
	})
}

// Windows of a gateway that Vault signs, with a token that may do that alone. While Vault fails in any way, calls are refused and
// none is forwarded; a gateway that stops then signs its last segment when it starts again.
func TestKMSVaultGateway(t *testing.T) {
	v := startVault(t)
	v.post("transit/keys/ci", `{"type":"ecdsa-p256"}`)
	front, turn := startTurning(t, v.Address)
	token := v.restricted(signerPolicy)
	w := &windowsDesk{kmsDesk: newKMSDesk(t, "VAULT_ADDR="+front.URL, "VAULT_TOKEN="+token), up: newUpstream(t)}
	const key = "hashivault://ci"
	w.write("runattest.pub", w.runattest("public-key", "--key", key).ok())
	stamps := w.timestamper()
	w.writeJSON("trusted_root.json", services.TrustedTimes(stamps))
	trust := []string{"--key", "runattest.pub", "--trusted-root", "trusted_root.json", "--require-timestamp", "1"}
	args := []string{"--key", key, "--timestamp-server", stamps.URL, "--trusted-root", "trusted_root.json",
		"--upstream", w.up.URL, "--provider", "openai", "--timeout", "10s"}
	w.write("policy.yaml", []byte(`schema: https://github.com/runattest/runattest/policy/v1
signers: {keys: [{name: vault, key: runattest.pub}]}
rules: [{name: model, expr: 'declaration.model.name == "m"'}]
`))

	g := w.gatewayBy("journal", append(slices.Clone(args), "--window", "500ms", "--policy", "policy.yaml")...)
	asked := front.Requests()
	receipts := w.pass(g, "together", 24)
	if n := front.Requests() - asked; n == 0 || n > 24 {
		t.Errorf("24 calls at once took %d requests to Vault", n)
	}
	for name, fault := range map[string]services.Fault{
		"slow": services.Slow(time.Hour), "hangs up": hangsUp, "page": services.HTML, "sealed": services.Unavailable(1 << 30), "cut": services.Cut,
	} {
		turn(fault)
		w.refuse(g, name)
	}
	turn(right)
	receipts = append(receipts, w.pass(g, "between", 3)...)

	v.post("sys/policies/acl/signer", `{"policy":"path \"transit/keys/ci\" { capabilities = [\"read\"] }"}`)
	w.refuse(g, "denied by Vault")
	v.restricted(signerPolicy)
	receipts = append(receipts, w.pass(g, "allowed again", 3)...)

	turn(hangsUp)
	g.ends = 3
	g.stop()
	if n := w.holds(nil, receipts, trust...); n != len(receipts) {
		t.Errorf("the journal has %d lines, want %d", n, len(receipts))
	}
	if o := w.runattest("journal", "verify", "--closed", "--key", "runattest.pub", "journal"); o.code != 1 {
		t.Errorf("a journal whose last segment is not signed: exit status %d\n%s", o.code, o.stdout)
	}
	w.runattest(append([]string{"gateway", "--journal", "journal", "--listen", "127.0.0.1:0"}, args...)...).failed("sigstore-kms-hashivault")
	turn(right)
	w.gatewayBy("journal", args...).stop()
	seen := w.up.seen()
	if n := w.holds(seen, receipts, append(trust, "--closed")...); n != len(receipts) || len(seen) != n {
		t.Errorf("the journal has %d lines, the upstream saw %d calls, want %d", n, len(seen), len(receipts))
	}
}

// A gateway has the public key that Vault had when it started: what Vault signs with another version is refused, and not forwarded,
// until the gateway starts again.
func TestKMSVaultGatewayRotated(t *testing.T) {
	v := startVault(t)
	v.post("transit/keys/ci", `{"type":"ecdsa-p256"}`)
	w := &windowsDesk{kmsDesk: newKMSDesk(t, "VAULT_ADDR="+v.Address, "VAULT_TOKEN="+v.restricted(signerPolicy)), up: newUpstream(t)}
	const key = "hashivault://ci"
	args := []string{"--key", key, "--upstream", w.up.URL, "--provider", "openai"}
	w.write("before.pub", w.runattest("public-key", "--key", key).ok())
	g := w.gatewayBy("journal", args...)
	w.pass(g, "before", 3)
	v.post("transit/keys/ci/rotate", `{}`)
	w.refuse(g, "rotated")
	g.ends = 3
	g.stop()
	w.write("after.pub", w.runattest("public-key", "--key", key).ok())
	g = w.gatewayBy("journal", args...)
	w.pass(g, "after", 3)
	g.stop()
	w.runattest("journal", "verify", "--closed", "--key", "before.pub", "--key", "after.pub", "journal").ok()
	for _, one := range []string{"before.pub", "after.pub"} {
		if o := w.runattest("journal", "verify", "--closed", "--key", one, "journal"); o.code != 1 {
			t.Errorf("with %s alone: exit status %d, want 1\n%s", one, o.code, o.stdout)
		}
	}
}
