package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var handForm = regexp.MustCompile(`(?m)^    \$ ((?:.*\\\n)*.*)$`)

// byHand gives the commands below "By hand" on a page of docs/spec.
func byHand(t *testing.T, page string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "spec", page))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## By hand\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, found := range handForm.FindAllStringSubmatch(section, -1) {
		commands = append(commands, found[1])
	}
	if len(commands) < 3 {
		t.Fatalf("%s has the commands %q", page, commands)
	}
	return commands
}

// bash runs a command of a page, whose cosign is ours.
func (d *desk) bash(command string) outcome {
	d.t.Helper()
	for _, tool := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			d.t.Skip(err)
		}
	}
	with := &desk{d.t, d.dir, append([]string{"PATH=" + filepath.Dir(cosignPath) + ":" + os.Getenv("PATH")}, d.env...)}
	return with.run("bash", []string{"-euo", "pipefail", "-c", command})
}

// twoFaced makes a file of a bundle that has the signed envelope where cosign's older form has it, and for readers of the newer
// form one that was never signed, in which old is replaced by new.
func (d *desk) twoFaced(bundle, file, old, new string) {
	d.t.Helper()
	var b map[string]any
	if err := json.Unmarshal(d.read(bundle), &b); err != nil {
		d.t.Fatal(err)
	}
	signed, err := json.Marshal(b["dsseEnvelope"])
	if err != nil {
		d.t.Fatal(err)
	}
	envelope := b["dsseEnvelope"].(map[string]any)
	payload, err := base64.StdEncoding.DecodeString(envelope["payload"].(string))
	if err != nil {
		d.t.Fatal(err)
	}
	changed := bytes.ReplaceAll(payload, []byte(old), []byte(new))
	if bytes.Equal(changed, payload) {
		d.t.Fatalf("%s is not in %s", old, payload)
	}
	envelope["payload"] = base64.StdEncoding.EncodeToString(changed)
	b["base64Signature"] = base64.StdEncoding.EncodeToString(signed)
	d.writeJSON(file, b)
}

// TestByHand runs what the pages say of verifying a run and a link without runattest. A file that has one statement for cosign and
// another for jq is refused by these commands, which cosign alone accepts.
func TestByHand(t *testing.T) {
	d := newDesk(t)
	d.declare("chat-llama-3.1-8b")
	d.write("model.safetensors", []byte("weights"))
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest")
	d.write("run.json.sigstore.json", d.read("runattest.sigstore.json"))
	d.runattest("link", "--key", "runattest.key", "--run", "runattest.sigstore.json", "--artifact", "model.safetensors", "--relation", "consumed").ok()
	identity := identityOf(d.read("canonical.json"))
	other := identity[:len(identity)-4] + "0000"
	for _, c := range []struct{ page, bundle, predicateType, blob string }{
		{"predicate-run-identity-v1.md", "run.json.sigstore.json", predicateType, "canonical.json"},
		{"predicate-run-link-v1.md", "model.safetensors.link.sigstore.json", linkType, "model.safetensors"},
	} {
		t.Run(c.page, func(t *testing.T) {
			d := d.in(t)
			commands := byHand(t, c.page)
			for i, command := range commands {
				commands[i] = strings.ReplaceAll(command, "CANONICAL_FILE", "canonical.json")
			}
			if out := d.bash(strings.Join(commands, "\n")).ok(); !bytes.Contains(out, []byte(identity)) {
				t.Errorf("printed %s, want %s in it", out, identity)
			}
			d.twoFaced(c.bundle, c.bundle, identity, other)
			d.cosignVerifiesAs(c.predicateType, "runattest.pub", c.bundle, c.blob).ok()
			d.bash(strings.Join(commands[:2], "\n")).refused(badSignature)
		})
	}
	if o := d.runattest("verify", "--key", "runattest.pub", "run.json.sigstore.json"); o.code != 2 {
		t.Errorf("%s: exit status %d, want 2: the file has an unknown member\n%s", o.command, o.code, o.stdout)
	}
}
