package e2e

import (
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
)

// A certificate and a log entry are published for ever, with a name on them: nothing is asked for where no bundle
// can come of it.
func TestNothingIsPublishedInVain(t *testing.T) {
	d, s := useOurs(t)
	d.write("bad.json", []byte(`{"kind": "inference"}`))
	for _, c := range []struct {
		name   string
		args   []string
		reason string
	}{
		{"malformed declaration", []string{"bad.json"}, "bad.json: "},
		{"missing declaration", []string{"none.json"}, "none.json: no such file"},
		{"one of two declarations", []string{"--bundle", "all.sigstore.jsonl", "run.json", "bad.json"}, "bad.json: "},
		{"two bundles in one document", []string{"--bundle", "all.json", "run.json", "canonical.json"}, "2 bundles are JSON Lines, and a .json file is one document"},
		{"bundle over the declaration", []string{"--bundle", "run.json", "run.json"}, "the result would overwrite run.json, which is an input"},
		{"bundle over the token", []string{"--bundle", "token", "run.json"}, "the result would overwrite token, which is an input"},
		{"bundle over the trusted root", []string{"--bundle", "trusted_root.json", "run.json"}, "the result would overwrite trusted_root.json, which is an input"},
		{"bundle over the signing config", []string{"--bundle", "signing_config.json", "--signing-config", "signing_config.json", "run.json"}, "the result would overwrite signing_config.json, which is an input"},
		{"no place for evidence", []string{"--bundle-format", "dsse", "run.json"}, "a bare DSSE envelope has no place for"},
		{"another log is not a URL", []string{"--rekor", "log.local.test", "run.json"}, `"log.local.test": want a URL`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.alone(t)
			fulcio, tsa, rekor := startFront(t, s.Fulcio.URL, none), startFront(t, s.Timestamper.URL, none), startFront(t, s.Rekor.URL, none)
			args := append([]string{
				"sign", "--fulcio", fulcio.URL, "--timestamp-server", tsa.URL, "--rekor", rekor.URL,
				"--trusted-root", "trusted_root.json", "--identity-token", "token",
			}, c.args...)
			d.touchesNothing(func() { d.runattest(args...).malformed(c.reason) })
			if f, s, l := fulcio.Requests(), tsa.Requests(), rekor.Requests(); f+s+l > 0 {
				t.Errorf("%d certificates, %d timestamps and %d entries were asked for, want none", f, s, l)
			}
		})
	}
}

// A certificate is worth nothing without trusted time, so it is asked for only where there will be some.
func TestCertificateNeedsTime(t *testing.T) {
	d, s := useOurs(t)
	fulcio, rekor := startFront(t, s.Fulcio.URL, none), startFront(t, s.Rekor.URL, none)
	d.touchesNothing(func() {
		d.signs(ours, "--fulcio", fulcio.URL, "--rekor", rekor.URL, "--identity-token", "token").malformed("hint: add --timestamp-server URL")
	})
	if f, l := fulcio.Requests(), rekor.Requests(); f+l > 0 {
		t.Errorf("%d certificates and %d entries were asked for, want none", f, l)
	}
}

// The log comes last: it is not told of a signature that is given up.
func TestNoTimestampNoLogEntry(t *testing.T) {
	d, s := useOurs(t)
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	down, rekor := startFront(t, s.Timestamper.URL, services.Failing(404, 1)), startFront(t, s.Rekor.URL, none)
	d.signs(ours, "--key", "runattest.key", "--timestamp-server", down.URL, "--rekor", rekor.URL).failed("answered 404")
	if n := rekor.Requests(); n > 0 {
		t.Errorf("%d entries were made, want none", n)
	}
}
