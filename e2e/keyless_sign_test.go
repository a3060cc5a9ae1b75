package e2e

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// Flags and a signing config lead to the same: a bundle with a certificate, a timestamp and a log entry,
// which runattest and cosign verify, for a person and for a job.
func TestKeyless(t *testing.T) {
	d, s := useOurs(t)
	d.mint("job", s.CI, services.Token{Subject: services.JobSubject, Claims: services.Job()})
	one := []string{"--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json"}
	each := []string{
		"--fulcio", s.Fulcio.URL, "--timestamp-server", s.Timestamper.URL, "--rekor", s.Rekor.URL, "--trusted-root", "trusted_root.json",
	}
	variable := "SIGSTORE_ID_TOKEN=" + d.minted(s.Issuer, services.Token{Email: bob})
	one, each = slices.Clip(one), slices.Clip(each)
	for _, c := range []struct {
		name, identity, issuer string
		flags, env             []string
	}{
		{"signing config", ada, s.Issuer.URL, append(one, "--identity-token", "token"), nil},
		{"flags", ada, s.Issuer.URL, append(each, "--identity-token", "token"), nil},
		{"token itself", ada, s.Issuer.URL, append(each, "--identity-token", string(d.read("token"))), nil},
		{"job", services.JobIdentity, s.CI.URL, append(one, "--identity-token", "job"), nil},
		{"flag before variable", ada, s.Issuer.URL, append(one, "--identity-token", "token"), []string{variable}},
		{"variable", bob, s.Issuer.URL, one, []string{variable}},
		{"runner", services.JobIdentity, s.CI.URL, one, []string{
			"ACTIONS_ID_TOKEN_REQUEST_URL=" + s.CI.URL + "/actions?", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + services.RunnerToken,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.alone(t)
			d.env = append(d.env, c.env...)
			if id := string(d.signs(ours, c.flags...).ok()); id != identityOf(d.read("canonical.json"))+"\n" {
				t.Errorf("standard output is %q, want the identity", id)
			}
			said := d.believesAs("trusted_root.json", c.identity, c.issuer, ours, "--require-timestamp", "1", "--require-log", "1").yes()
			if by := said.Signer; by.Kind != "certificate" || by.Name != c.identity || by.Issuer != c.issuer {
				t.Errorf("signed by %+v, want %s of %s", by, c.identity, c.issuer)
			}
			if len(said.Times) != 1 || said.Times[0].Authority != s.Timestamper.URL || len(said.Logs) != 1 || said.Logs[0].Log != "https://"+services.RekorHost {
				t.Errorf("times %v, logs %v, want one of each", said.Times, said.Logs)
			}
			d.cosignVerifiesKeyless("trusted_root.json", c.identity, c.issuer, ours).ok()
			d.cosignVerifiesKeyless("trusted_root.json", "eve@example.com", c.issuer, ours).refused("expected SAN value")
		})
	}
}

// What cosign signs keyless of our statement is ours as if we had signed it.
func TestKeylessOfCosign(t *testing.T) {
	d, s := useOurs(t)
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest")
	statement := d.statement("runattest.sigstore.json", "statement.json")
	d.cosignAttestsKeyless("cosign.sigstore.json", "--identity-token=token").ok()
	said := d.believesAs("trusted_root.json", ada, s.Issuer.URL, "cosign.sigstore.json",
		"--require-timestamp", "1", "--require-log", "1", "--signed-before", time.Now().Add(time.Minute).Format(time.RFC3339),
		"--declaration", "run.json").yes()
	if said.Signer.Name != ada || len(said.Times) != 1 || len(said.Logs) != 1 {
		t.Errorf("%+v, want it by %s with a time and a log", said, ada)
	}
	d.believesAs("trusted_root.json", bob, s.Issuer.URL, "cosign.sigstore.json").no("signer", `the certificate is for "ada@example.com", not for bob@example.com`)

	d.signsKeyless(ours).ok()
	if payload := d.readBundle(ours).Envelope.Payload; !bytes.Equal(payload, statement) {
		t.Errorf("the payload depends on who signs:\n%s\n%s", payload, statement)
	}
}

// A batch is one login: one certificate, and each signature has its own evidence.
func TestKeylessBatch(t *testing.T) {
	d, s := useOurs(t)
	fulcio, tsa, rekor := startFront(t, s.Fulcio.URL, none), startFront(t, s.Timestamper.URL, none), startFront(t, s.Rekor.URL, none)
	var names []string
	for _, name := range []string{"agent-mcp", "lora-finetune"} {
		d.declare(name)
		d.write(name+".json", d.read("run.json"))
		names = append(names, name+".json")
	}
	args := []string{
		"sign", "--fulcio", fulcio.URL, "--timestamp-server", tsa.URL, "--rekor", rekor.URL,
		"--trusted-root", "trusted_root.json", "--identity-token", "token",
	}
	d.runattest(slices.Concat(args, names)...).ok()
	first := d.certificate(names[0] + ".sigstore.json")
	for _, name := range names {
		d.believesAs("trusted_root.json", ada, s.Issuer.URL, name+".sigstore.json", "--declaration", name).yes()
		if !d.certificate(name + ".sigstore.json").Equal(first) {
			t.Errorf("%s has a certificate of its own", name)
		}
	}
	if f, s, l := fulcio.Requests(), tsa.Requests(), rekor.Requests(); f != 1 || s != len(names) || l != len(names) {
		t.Errorf("%d certificates, %d timestamps, %d entries; want 1, %d, %d", f, s, l, len(names), len(names))
	}

	d.runattest(slices.Concat(args, []string{"--bundle", "all.sigstore.jsonl"}, names)...).ok()
	d.runattest("verify", "--trusted-root", "trusted_root.json", "--certificate-identity", ada, "--certificate-oidc-issuer", s.Issuer.URL, "all.sigstore.jsonl").ok()
	if lines := bytes.Count(d.read("all.sigstore.jsonl"), []byte("\n")); lines != len(names) {
		t.Errorf("%d bundles in one file, want %d", lines, len(names))
	}
	if n := fulcio.Requests(); n != 2 {
		t.Errorf("%d certificates after two calls, want 2", n)
	}
}
