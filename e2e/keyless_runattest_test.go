package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// ours is where our keyless bundles go.
const ours = "ours.sigstore.json"

// useOurs is a desk with a run to declare, a token of Ada's, and the services.
func useOurs(t *testing.T) (*desk, *services.Services) {
	t.Helper()
	d := newDesk(t)
	s := d.useServices()
	d.declare("chat-llama-3.1-8b")
	d.mint("token", s.Issuer, services.Token{Email: ada})
	return d, s
}

// alone is a desk of its own with copies of the files of d, so that tests can go on at once.
func (d *desk) alone(t *testing.T) *desk {
	t.Helper()
	t.Parallel()
	own := newDesk(t)
	if err := os.CopyFS(own.dir, os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	return own
}

// signs has runattest sign run.json with the services that the flags name.
func (d *desk) signs(bundle string, flags ...string) outcome {
	d.t.Helper()
	return d.runattest(slices.Concat([]string{"sign", "--bundle", bundle}, flags, []string{"run.json"})...)
}

// signsKeyless runs runattest to sign run.json as the identity of a token, with the services of the signing config
// unless the flags say otherwise.
func (d *desk) signsKeyless(bundle string, flags ...string) outcome {
	d.t.Helper()
	for _, usual := range [][2]string{{"--signing-config", "signing_config.json"}, {"--trusted-root", "trusted_root.json"}, {"--identity-token", "token"}} {
		if !slices.Contains(flags, usual[0]) {
			flags = append(slices.Clip(flags), usual[0], usual[1])
		}
	}
	return d.signs(bundle, flags...)
}

// believes has runattest verify a bundle.
func (d *desk) believes(bundle string, flags ...string) outcome {
	d.t.Helper()
	return d.runattest(slices.Concat([]string{"verify", "--format", "json"}, flags, []string{bundle})...)
}

// believesAs has runattest verify what an identity signed without a key.
func (d *desk) believesAs(root, identity, issuer, bundle string, flags ...string) outcome {
	d.t.Helper()
	return d.believes(bundle, append([]string{
		"--trusted-root", root, "--certificate-identity", identity, "--certificate-oidc-issuer", issuer,
	}, flags...)...)
}

// testimony is what of runattest's report is about who signed, and when: docs/output.md.
type testimony struct {
	Verified bool
	Signer   struct{ Kind, Name, Issuer string }
	Times    []trustedTime
	Logs     []struct {
		Log   string
		Index int
	}
	Checks []struct{ Name, Verdict, Reason, Hint string }
}

// yes demands that the one bundle is verified.
func (o outcome) yes() testimony {
	o.t.Helper()
	var said testimony
	if err := json.Unmarshal(o.ok(), &said); err != nil {
		o.t.Fatalf("%s: %v\n%s", o.command, err, o.stdout)
	}
	if !said.Verified {
		o.t.Fatalf("%s: exit status 0, but the report is not verified\n%s", o.command, o.stdout)
	}
	return said
}

// no demands exit status 1 because of one check and no other, with the reason for people.
func (o outcome) no(check, reason string) {
	o.t.Helper()
	var said testimony
	if err := json.Unmarshal(o.stdout, &said); err != nil {
		o.t.Errorf("%s: exit status %d, %v\n%s%s", o.command, o.code, err, o.stdout, o.stderr)
		return
	}
	reasons := map[string]string{}
	for _, c := range said.Checks {
		if c.Verdict == "fail" {
			reasons[c.Name] = c.Reason + " " + c.Hint
		}
	}
	if o.code != 1 || said.Verified || len(reasons) != 1 || !strings.Contains(reasons[check], reason) {
		o.t.Errorf("%s: exit status %d, failed %q; want 1 and %s: %q\n%s", o.command, o.code, reasons, check, reason, o.stderr)
	}
}

// malformed demands exit status 2, the reason, and no result.
func (o outcome) malformed(reason string) {
	o.t.Helper()
	if o.code != 2 || !strings.Contains(o.stderr, reason) || !o.saysNothing() {
		o.t.Errorf("%s: exit status %d, want 2 and %q\n%s%s", o.command, o.code, reason, o.stdout, o.stderr)
	}
}

// saysNothing tells that standard output has no answer: nothing, or with --format json the object that says why.
func (o outcome) saysNothing() bool {
	return len(o.stdout) == 0 || bytes.HasPrefix([]byte(o.stdout), []byte(`{"error":`)) && bytes.Count([]byte(o.stdout), []byte("\n")) == 1
}

// snapshot is what lies on the desk: contents by name.
func (d *desk) snapshot() map[string]string {
	d.t.Helper()
	files := map[string]string{}
	all, err := filepath.Glob(d.path("*"))
	if err != nil {
		d.t.Fatal(err)
	}
	hidden, err := filepath.Glob(d.path(".*"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, file := range append(all, hidden...) {
		data, err := os.ReadFile(file)
		if err != nil {
			d.t.Fatal(err)
		}
		files[filepath.Base(file)] = string(data)
	}
	return files
}

// touchesNothing demands that no file is made, changed or removed by what runs.
func (d *desk) touchesNothing(run func()) {
	d.t.Helper()
	before := d.snapshot()
	run()
	after := d.snapshot()
	if maps.Equal(before, after) {
		return
	}
	for name := range after {
		if before[name] != after[name] {
			d.t.Errorf("%s was written", name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			d.t.Errorf("%s was removed", name)
		}
	}
}

// object is JSON that a test alters; numbers stay as they are written.
type object = map[string]any

// alter writes the JSON of one file, altered, to another.
func (d *desk) alter(from, to string, change func(object)) {
	d.t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(d.read(from)))
	decoder.UseNumber()
	var whole object
	if err := decoder.Decode(&whole); err != nil {
		d.t.Fatalf("%s: %v", from, err)
	}
	change(whole)
	d.writeJSON(to, whole)
}

// at walks down members and, where a name is a number, elements.
func at(o any, path ...any) object {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o = o.(object)[step]
		case int:
			o = o.([]any)[step]
		}
	}
	return o.(object)
}

func material(bundle object) object { return at(bundle, "verificationMaterial") }
func entry(bundle object) object    { return at(bundle, "verificationMaterial", "tlogEntries", 0) }

// look reads the JSON of a file.
func (d *desk) look(name string, see func(object)) {
	d.t.Helper()
	var whole object
	if err := json.Unmarshal(d.read(name), &whole); err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	see(whole)
}

// trustedTime is a time that an authority has signed, give or take its accuracy.
type trustedTime struct {
	Kind, Authority, Time string
	Accuracy              time.Duration `json:"accuracyNanoseconds"`
}

// latest is the last instant that the time may be.
func (t trustedTime) latest(tb testing.TB) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, t.Time)
	if err != nil {
		tb.Fatal(err)
	}
	return at.Add(t.Accuracy)
}
