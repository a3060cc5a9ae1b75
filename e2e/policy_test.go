package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

const (
	carol = "carol@example.com"
	dave  = "dave@example.com"
	eve   = "eve@example.com"
)

// certificatePolicy trusts people by the names that an issuer gives them, and no keys.
func certificatePolicy(issuer, evidence string) string {
	return fmt.Sprintf(`schema: https://github.com/runattest/runattest/policy/v1
name: acme
trustedRoot: trusted_root.json
signers: {certificates: [{identity: %s, issuer: %s}]}
time: {evidence: %s}
rules:
  - name: certified
    expr: signer.kind == 'certificate' && signer.name == '%[1]s' && signer.issuer == '%[2]s' && time.verified
    message: "signed by {{signer.name}}, as {{signer.issuer}} says"
`, ada, issuer, evidence)
}

// approvedBy asks for two approvals of Bob, Carol and Ada, who signs the runs herself. Bob has two names.
func approvedBy(policy, issuer string) string {
	return policy + fmt.Sprintf(`approvals:
  required: 2
  evidence: timestamp
  approvers:
    - {name: bob, certificates: [{identity: %s, issuer: %[2]s}, {identity: %s, issuer: %[2]s}]}
    - {name: carol, certificates: [{identity: %[4]s, issuer: %[2]s}]}
    - {name: ada, certificates: [{identity: %[5]s, issuer: %[2]s}]}
`, bob, issuer, dave, carol, ada)
}

// usePolicy is a desk with a run that Ada has signed, and a path for what exec executes.
func usePolicy(t *testing.T) (*desk, *services.Services) {
	t.Helper()
	d, s := useOurs(t)
	d.env = append(d.env, "PATH="+os.Getenv("PATH"), "TMPDIR="+t.TempDir())
	d.signsKeyless(ours).ok()
	return d, s
}

// allows has runattest verify our bundle with a policy.
func (d *desk) allows(policy string, flags ...string) outcome {
	d.t.Helper()
	return d.believes(ours, append([]string{"--policy", policy}, flags...)...)
}

// approves lets a person approve our run without a key.
func (d *desk) approves(s *services.Services, who, bundle string, flags ...string) {
	d.t.Helper()
	d.mint("approver", s.Issuer, services.Token{Email: who})
	if !slices.Contains(flags, "--decision") {
		flags = append(flags, "--decision", "approved")
	}
	d.runattest(append([]string{
		"approve", "--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json", "--identity-token", "approver",
		"--reason", "as " + who, "--bundle", bundle, ours,
	}, flags...)...).ok()
}

func (d *desk) without(from, to string, members ...string) {
	d.t.Helper()
	d.alter(from, to, func(b object) {
		for _, member := range members {
			delete(material(b), member)
		}
	})
}

const (
	theTimestamps = "timestampVerificationData"
	theEntries    = "tlogEntries"
)

// The identity that the certificate names is trusted if the evidence that the policy requires is there; each piece that
// is missing is one line.
func TestPolicyCertificates(t *testing.T) {
	d, s := usePolicy(t)
	right := s.Issuer.URL
	d.write("policy.yaml", []byte(certificatePolicy(right, "timestamp")))
	d.write("log.yaml", []byte(certificatePolicy(right, "log")))
	d.write("issuer.yaml", []byte(certificatePolicy("https://issuer.local.test", "timestamp")))
	d.write("name.yaml", []byte(strings.ReplaceAll(certificatePolicy(right, "timestamp"), ada, bob)))
	d.without(ours, "no_timestamp.json", theTimestamps)
	d.without(ours, "no_entry.json", theEntries)
	d.runattest("policy", "check", "policy.yaml", "log.yaml").ok()
	for _, c := range []struct{ name, policy, bundle, check, reason string }{
		{"timestamp", "policy.yaml", ours, "", ""},
		{"log", "log.yaml", ours, "", ""},
		{"other issuer", "issuer.yaml", ours, "signer", `the identity was checked with the issuer "` + right + `", not with https://issuer.local.test`},
		{"other name", "name.yaml", ours, "signer", `the certificate is for "ada@example.com", not for bob@example.com`},
		{"no timestamp", "policy.yaml", "no_timestamp.json", "time", "no trusted timestamp: the bundle has none sign with --timestamp-server"},
		{"no timestamp, log wanted", "log.yaml", "no_timestamp.json", "time", "has no promise, which alone would be a signed time sign with --timestamp-server"},
		{"no log entry", "policy.yaml", "no_entry.json", "time", "no log entry: the bundle has none"},
		{"no log entry, log wanted", "log.yaml", "no_entry.json", "time", "no log entry: the bundle has none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			verify := d.believes(c.bundle, "--policy", c.policy)
			gate := d.runattest("exec", "--dry-run", "--policy", c.policy, "--bundle", c.bundle, "--", "true")
			if c.check == "" {
				verify.yes()
				gate.ok()
				return
			}
			verify.no(c.check, c.reason)
			gate.refused("runattest: not executed: " + c.check + ": ")
			if n := strings.Count(gate.stderr, "not executed"); n != 1 {
				t.Errorf("%d reasons, want one\n%s", n, gate.stderr)
			}
		})
	}
	d.runattest("exec", "--policy", "name.yaml", "--bundle", ours, "--", "touch", "started").refused("not executed: signer: ")
	if _, err := os.Stat(d.path("started")); err == nil {
		t.Error("what was refused has started")
	}
}

// The verdict of a day is the verdict of that day a year later, when the certificate has long expired.
func TestPolicyAt(t *testing.T) {
	d, s := usePolicy(t)
	policy := certificatePolicy(s.Issuer.URL, "timestamp")
	d.write("policy.yaml", []byte(policy))
	d.write("soon.yaml", []byte(strings.Replace(policy, "evidence: timestamp", "evidence: timestamp, startWithin: 24h", 1)))
	first := d.allows("soon.yaml").yes().Times[0]
	stamped := first.latest(t)
	earliest := stamped.Add(-2 * first.Accuracy)
	at := func(policy string, after time.Duration, flags ...string) outcome {
		return d.allows(policy, append(flags, "--at", stamped.Add(after).Format(time.RFC3339))...)
	}
	const year = 365 * 24 * time.Hour
	at("policy.yaml", year).yes()
	at("soon.yaml", 0).yes()
	at("soon.yaml", 24*time.Hour-2*first.Accuracy).yes()
	denied(at("soon.yaml", 24*time.Hour+time.Second), "denied by time: signed at "+earliest.UTC().Format(time.RFC3339))
	denied(at("soon.yaml", year), "want at most 24h0m0s: sign it again")
	denied(at("policy.yaml", -first.Accuracy-time.Second), "denied by time: signed at") // the accuracy does not count against the moment itself
	d.runattest("exec", "--dry-run", "--policy", "soon.yaml", "--bundle", ours, "--at", stamped.Add(time.Hour).Format(time.RFC3339), "--", "true").ok()
	d.runattest("exec", "--dry-run", "--policy", "soon.yaml", "--bundle", ours, "--at", stamped.Add(year).Format(time.RFC3339), "--", "true").
		refused("not executed: policy: denied by time: ")

	d.write("approved.yaml", []byte(approvedBy(policy, s.Issuer.URL)))
	d.approves(s, bob, "bob.json")
	d.approves(s, carol, "carol.json", "--expires", stamped.Add(48*time.Hour).UTC().Format(time.RFC3339))
	both := []string{"--approvals", "bob.json", "--approvals", "carol.json"}
	at("approved.yaml", 24*time.Hour, both...).yes()
	denied(at("approved.yaml", year, both...), "carol.json does not count: expired at", "1 of 2 approvals: approved by bob; want 2 of bob, carol, ada")
	denied(at("approved.yaml", -time.Hour, both...), "bob.json does not count: was signed at")
}

// denied demands that the policy alone denies, with each of the lines.
func denied(o outcome, lines ...string) {
	o.t.Helper()
	o.no("policy", "denied, ")
	for _, line := range lines {
		if !strings.Contains(string(o.stdout), line) {
			o.t.Errorf("%s: %s; want %q", o.command, o.stdout, line)
		}
	}
}

// A certificate expired long ago, and its services are gone: the policy does not mind.
func TestPolicyExpiredCertificate(t *testing.T) {
	d, by := useFixed(t)
	d.env = append(d.env, "PATH="+os.Getenv("PATH"), "TMPDIR="+t.TempDir())
	d.write("policy.yaml", []byte(strings.ReplaceAll(certificatePolicy(by.Issuer, "timestamp"), ada, by.Identity)))
	d.believes("keyless.sigstore.json", "--policy", "policy.yaml").yes()
	d.runattest("exec", "--policy", "policy.yaml", "--bundle", "keyless.sigstore.json", "--", "true").ok()
}

// Two of three people: not two certificates, not two names of one, and not the author.
func TestPolicyApprovers(t *testing.T) {
	d, s := usePolicy(t)
	d.write("policy.yaml", []byte(approvedBy(certificatePolicy(s.Issuer.URL, "timestamp"), s.Issuer.URL)))
	for bundle, who := range map[string]string{"bob": bob, "again": bob, "dave": dave, "carol": carol, "ada": ada, "eve": eve} {
		d.approves(s, who, bundle+".json")
	}
	d.approves(s, carol, "rejected.json", "--decision", "rejected")
	d.without("carol.json", "untimed.json", theTimestamps)
	d.without("carol.json", "unlogged.json", theEntries)
	d.look("bob.json", func(other object) {
		d.alter("carol.json", "exchanged.json", func(b object) { material(b)["certificate"] = material(other)["certificate"] })
	})
	d.write("all.jsonl", append(d.read("bob.json"), d.read("carol.json")...))
	const oneOfTwo = "denied by approvals: 1 of 2 approvals: approved by bob; want 2 of bob, carol, ada"
	for _, c := range []struct {
		name      string
		approvals []string
		reasons   []string // of a no
	}{
		{"two of three", []string{"bob.json", "carol.json"}, nil},
		{"in one file", []string{"all.jsonl"}, nil},
		{"none", nil, []string{"0 of 2 approvals: no approver has approved"}},
		{"one", []string{"bob.json"}, []string{oneOfTwo}},
		{"one, two certificates", []string{"bob.json", "again.json"}, []string{oneOfTwo}},
		{"one, two names", []string{"bob.json", "dave.json"}, []string{oneOfTwo}},
		{"one and the author", []string{"bob.json", "ada.json"}, []string{oneOfTwo, "ada.json does not count: is by the signer of the run, who cannot approve it"}},
		{"one and a stranger", []string{"bob.json", "eve.json"}, []string{oneOfTwo, "eve.json does not count: is signed by none of 3 approvers"}},
		{"one and no time", []string{"bob.json", "untimed.json"}, []string{oneOfTwo, "untimed.json does not count: by carol: not verified: time: no trusted timestamp"}},
		{"one and no log entry", []string{"bob.json", "unlogged.json"}, []string{oneOfTwo, "unlogged.json does not count: by carol: not verified: time: no log entry"}},
		{"one and another's certificate", []string{"bob.json", "exchanged.json"}, []string{oneOfTwo, "exchanged.json does not count"}},
		{"two and a no", []string{"bob.json", "carol.json", "rejected.json"}, []string{"denied by approvals: rejected by carol: as carol@example.com"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			var flags []string
			for _, file := range c.approvals {
				flags = append(flags, "--approvals", file)
			}
			if o := d.allows("policy.yaml", flags...); c.reasons == nil {
				o.yes()
			} else {
				denied(o, c.reasons...)
			}
			gate := d.runattest(append(append([]string{"exec", "--policy", "policy.yaml", "--bundle", ours}, flags...), "--", "true")...)
			if want := min(len(c.reasons), 1); gate.code != want {
				t.Errorf("%s: exit status %d, want %d\n%s", gate.command, gate.code, want, gate.stderr)
			}
		})
	}
	// the same names, from another issuer
	d.write("policy.yaml", []byte(approvedBy(certificatePolicy(s.Issuer.URL, "timestamp"), s.CI.URL)))
	denied(d.allows("policy.yaml", "--approvals", "all.jsonl"), "all.jsonl:1 does not count: is signed by none of 3 approvers")
}

// A policy that was signed without a key: the signer, the issuer and the trusted root must match.
func TestPolicySignedKeyless(t *testing.T) {
	d, s := usePolicy(t)
	policy := certificatePolicy(s.Issuer.URL, "timestamp")
	d.write("policy.yaml", []byte(policy))
	d.mint("release", s.Issuer, services.Token{Email: carol})
	const signature = "policy.yaml.sigstore.json"
	d.runattest("policy", "sign", "--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json", "--identity-token", "release", "policy.yaml").ok()
	d.write("outside.json", d.read("trusted_root.json")) // the same, and not the policy's own
	released := func(name, issuer, root string, flags ...string) outcome {
		return d.allows("policy.yaml", append([]string{"--policy-certificate-identity", name, "--policy-certificate-oidc-issuer", issuer, "--policy-trusted-root", root}, flags...)...)
	}
	right := func() outcome { return released(carol, s.Issuer.URL, "outside.json") }
	right().yes()
	released(bob, s.Issuer.URL, "outside.json", "--policy-certificate-identity", carol).yes()
	d.runattest("policy", "check", "--policy-certificate-identity", carol, "--policy-certificate-oidc-issuer", s.Issuer.URL, "--policy-trusted-root", "outside.json", "policy.yaml").ok()
	released(bob, s.Issuer.URL, "outside.json").refused(signature + `: not verified: signer: the certificate is for "carol@example.com", not for bob@example.com`)
	released(carol, s.CI.URL, "outside.json").refused("the identity was checked with the issuer")
	d.runattest("exec", "--policy", "policy.yaml", "--policy-certificate-identity", bob, "--policy-certificate-oidc-issuer", s.Issuer.URL,
		"--policy-trusted-root", "outside.json", "--bundle", ours, "--", "touch", "started").refused("not executed: " + signature + ": not verified: signer: ")
	if _, err := os.Stat(d.path("started")); err == nil {
		t.Error("what was refused has started")
	}

	root := s.TrustedRoot()
	root.TimestampAuthorities = nil
	d.writeJSON("untimed.json", root)
	released(carol, s.Issuer.URL, "untimed.json").refused(signature + ": not verified: ")
	d.makeKey("other", "ecdsa-p256", "--no-password")
	released(bob, s.Issuer.URL, "outside.json", "--policy-key", "other.pub").refused(signature + ": not verified: ")
	d.allows("policy.yaml", "--policy-key", "other.pub").refused(signature + ": not verified: ")
	released(carol, s.Issuer.URL, "outside.json", "--policy-key", "other.pub").yes() // one of them is enough

	whole := d.read(signature)
	d.without(signature, signature, theTimestamps)
	right().refused(signature + ": not verified: time: no trusted timestamp")
	d.write(signature, whole)
	d.without(signature, signature, theEntries)
	right().refused(signature + ": not verified: time: no log entry")
	d.write(signature, d.read(ours)) // by who is trusted for runs, and of a run
	released(ada, s.Issuer.URL, "outside.json").refused(signature + ": ")
	d.write(signature, whole)
	d.write("policy.yaml", []byte(policy+"# more\n"))
	right().refused("the file was changed after signing")
	d.write("policy.yaml", []byte(policy))
	d.write("trusted_root.json", append(d.read("trusted_root.json"), '\n'))
	right().refused("trusted_root.json, which the policy refers to, was changed after signing")
	if err := os.Remove(d.path(signature)); err != nil {
		t.Fatal(err)
	}
	right().malformed("--policy-certificate-identity asks for a signed policy: ")
}
