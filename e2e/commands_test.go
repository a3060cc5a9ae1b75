package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
)

const predicateType = "https://github.com/runattest/runattest/run-identity/v1"

// algorithm is a kind of key that runattest keygen makes.
type algorithm struct {
	name string

	// digest is the hash that Sigstore's algorithm registry gives the key, where it is not SHA-256.
	// cosign attest-blob follows the registry; cosign verify-blob-attestation takes SHA-256 for
	// any --key unless --signature-digest-algorithm says otherwise.
	digest string
}

var algorithms = []algorithm{
	{"ecdsa-p256", ""},
	{"ecdsa-p384", "sha384"},
	{"ecdsa-p521", "sha512"},
	{"ed25519", ""},
	{"rsa-2048", ""},
	{"rsa-3072", ""},
	{"rsa-4096", ""},
}

// digestFlags tell cosign which hash to verify with.
func (a algorithm) digestFlags() []string {
	if a.digest == "" {
		return nil
	}
	return []string{"--signature-digest-algorithm=" + a.digest}
}

// declare puts a real declaration on the desk as run.json, and as canonical.json the canonical
// file, which to cosign is an ordinary artifact.
func (d *desk) declare(name string) {
	d.t.Helper()
	declaration, err := os.ReadFile(filepath.Join("..", "testdata", "declarations", name+".json"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.write("run.json", declaration)
	d.write("canonical.json", d.runattest("canonicalize", "--declaration", "run.json").ok())
}

// makeKey makes NAME.key and NAME.pub; the key is encrypted once there is a password.
func (d *desk) makeKey(name, algorithm string, flags ...string) {
	d.t.Helper()
	d.runattest(append([]string{"keygen", "--algorithm", algorithm, "--output", name}, flags...)...).ok()
}

// sign signs run.json with NAME.key into NAME.sigstore.json.
func (d *desk) sign(name string, flags ...string) {
	d.t.Helper()
	args := []string{"sign", "--key", name + ".key", "--bundle", name + ".sigstore.json"}
	d.runattest(append(append(args, flags...), "run.json")...).ok()
}

// cosignVerifies has cosign look for the digest of the file blob among a bundle's subjects.
func (d *desk) cosignVerifies(key, bundle, blob string, flags ...string) outcome {
	d.t.Helper()
	return d.cosignVerifiesAs(predicateType, key, bundle, blob, flags...)
}

func (d *desk) cosignVerifiesAs(predicateType, key, bundle, blob string, flags ...string) outcome {
	d.t.Helper()
	args := []string{
		"verify-blob-attestation", "--key", key, "--bundle", bundle,
		"--type", predicateType, "--insecure-ignore-tlog=true",
	}
	return d.cosign(append(append(args, flags...), blob)...)
}

// withoutServices are the flags by which cosign attest-blob asks no timestamp authority and no log,
// and has no trusted root to fetch. With a trusted root it also verifies what it has signed.
func (d *desk) withoutServices() []string {
	d.t.Helper()
	d.cosign("signing-config", "create", "--out", "services.json").ok()
	d.cosign("trusted-root", "create", "--out", "root.json").ok()
	return []string{"--signing-config", "services.json", "--trusted-root", "root.json"}
}

// withoutServicesOrRoot do the same in the older way, which cosign calls deprecated.
func (d *desk) withoutServicesOrRoot() []string {
	return []string{"--use-signing-config=false", "--tlog-upload=false"}
}

// cosignAttests has cosign sign a whole statement, as it is.
func (d *desk) cosignAttests(key, statement, bundle string, flags []string) outcome {
	d.t.Helper()
	args := []string{"attest-blob", "--key", key, "--statement", statement, "--bundle", bundle}
	return d.cosign(append(args, flags...)...)
}

// statement writes the payload of a bundle to a file.
func (d *desk) statement(bundle, name string) []byte {
	d.t.Helper()
	payload := d.runattest("inspect", "--statement", bundle).ok()
	d.write(name, payload)
	return payload
}

// report is what runattest verify says to machines: docs/output.md.
type report struct {
	Verified bool `json:"verified"`
	Checks   []struct {
		Name    string `json:"name"`
		Verdict string `json:"verdict"`
	} `json:"checks"`
	Identity string `json:"identity"`
	Signer   struct {
		KeyHint   string `json:"keyHint"`
		Algorithm string `json:"algorithm"`
	} `json:"signer"`
}

func (r *report) withVerdict(verdict string) (names []string) {
	for _, c := range r.Checks {
		if c.Verdict == verdict {
			names = append(names, c.Name)
		}
	}
	return names
}

func (d *desk) report(o outcome) *report {
	d.t.Helper()
	r := new(report)
	if err := json.Unmarshal(o.stdout, r); err != nil {
		d.t.Fatalf("%s: %v\n%s%s", o.command, err, o.stdout, o.stderr)
	}
	return r
}

// verified demands runattest's yes.
func (d *desk) verified(key, bundle string) *report {
	d.t.Helper()
	o := d.runattest("verify", "--format", "json", "--key", key, bundle)
	r := d.report(o)
	passed := r.withVerdict("pass")
	for _, want := range []string{"signature", "signer", "statement", "identity", "declaration"} {
		if !slices.Contains(passed, want) {
			d.t.Errorf("%s: %s did not pass", o.command, want)
		}
	}
	if o.code != 0 || !r.Verified {
		d.t.Fatalf("%s: exit status %d, want 0 and verified\n%s", o.command, o.code, o.stdout)
	}
	return r
}

// notVerified demands runattest's no, because of these checks and no other.
func (d *desk) notVerified(key, bundle string, checks ...string) {
	d.t.Helper()
	o := d.runattest("verify", "--format", "json", "--key", key, bundle)
	r := d.report(o)
	if failed := r.withVerdict("fail"); o.code != 1 || r.Verified || !slices.Equal(failed, checks) {
		d.t.Errorf("%s: exit status %d, failed %q; want 1 and %q\n%s", o.command, o.code, failed, checks, o.stdout)
	}
}
