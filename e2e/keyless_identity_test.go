package e2e

import (
	"strings"
	"testing"
)

// A certificate is somebody's, as an issuer says: both halves count, whole.
func TestWhoseCertificate(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	const (
		name, issuer               = "--certificate-identity", "--certificate-oidc-issuer"
		namePattern, issuerPattern = name + "-regexp", issuer + "-regexp"
		elsewhere                  = "https://issuer.local.test"
	)
	for _, c := range []struct {
		name   string
		flags  []string
		reason string // of a no by the check signer
	}{
		{"right", []string{name, ada, issuer, s.Issuer.URL}, ""},
		{"one of several", []string{name, bob, name, ada, issuer, elsewhere, issuer, s.Issuer.URL}, ""},
		{"regexp", []string{namePattern, `^[a-z]+@example\.com$`, issuerPattern, `^http://127\.0\.0\.1:\d+$`}, ""},
		{"other name", []string{name, bob, issuer, s.Issuer.URL}, `the certificate is for "ada@example.com", not for bob@example.com`},
		{"other case", []string{name, "Ada@example.com", issuer, s.Issuer.URL}, `not for Ada@example.com`},
		{"other issuer", []string{name, ada, issuer, elsewhere}, `the identity was checked with the issuer "` + s.Issuer.URL + `", not with ` + elsewhere},
		{"issuer with a slash", []string{name, ada, issuer, s.Issuer.URL + "/"}, "the identity was checked with the issuer"},
		{"other of our issuers", []string{name, ada, issuer, s.CI.URL}, "the identity was checked with the issuer"},
		{"regexp of a part", []string{namePattern, `example`, issuer, s.Issuer.URL}, `not for \A(?:example)\z`},
		{"regexp of the beginning", []string{namePattern, `^ada`, issuer, s.Issuer.URL}, `the certificate is for`},
		{"alternatives", []string{namePattern, `bob|ada`, issuer, s.Issuer.URL}, `the certificate is for`},
		{"issuer's regexp of a part", []string{name, ada, issuerPattern, `127`}, "the identity was checked with the issuer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			o := d.believes(ours, append([]string{"--trusted-root", "trusted_root.json"}, c.flags...)...)
			if c.reason == "" {
				o.yes()
			} else {
				o.no("signer", c.reason)
			}
		})
	}
}

// A pattern that says nothing of its ends is anchored, and that is said.
func TestAnchoredPattern(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	with := func(pattern string) outcome {
		return d.believes(ours, "--trusted-root", "trusted_root.json", "--certificate-identity-regexp", pattern, "--certificate-oidc-issuer", s.Issuer.URL)
	}
	const note = "is matched from end to end"
	for pattern, noted := range map[string]bool{`.*@example\.com`: true, `^.*@example\.com`: true, `^.*@example\.com$`: false} {
		o := with(pattern)
		o.yes()
		if strings.Contains(o.stderr, note) != noted {
			t.Errorf("%s: standard error is %q; want it to say that the pattern %s: %t", pattern, o.stderr, note, noted)
		}
	}
	with(`@example`).no("signer", `not for \A(?:@example)\z`)
	with(`ada@example.com)|(.*`).malformed("--certificate-identity-regexp")
	with(`(`).malformed("missing closing )")
	with(``).malformed("--certificate-identity-regexp is empty")
}

// A certificate signer must be given in full, as an identity and an issuer.
func TestNoSignerToTrust(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	d.believes(ours, "--trusted-root", "trusted_root.json").malformed("no signer to trust")
	d.believes(ours, "--trusted-root", "trusted_root.json", "--certificate-identity", ada).malformed("without an issuer: another issuer may give this name to another account")
	d.believes(ours, "--trusted-root", "trusted_root.json", "--certificate-oidc-issuer", s.Issuer.URL).malformed("without an identity: every account of the issuer would be trusted")
	d.believes(ours, "--certificate-identity", ada, "--certificate-oidc-issuer", s.Issuer.URL).malformed("hint: give --trusted-root FILE")
	d.believesAs("trusted_root.json", "", s.Issuer.URL, ours).malformed("--certificate-identity is empty")
	d.believesAs("none.json", ada, s.Issuer.URL, ours).malformed("none.json: no such file")
	d.believesAs("trusted_root.json", ada, s.Issuer.URL, ours, "--signed-before", "yesterday").malformed("want a time as 2026-01-31T12:00:00Z")
	d.believesAs("trusted_root.json", ada, s.Issuer.URL, ours, "--require-log", "some").malformed("want a number of logs, or none")

	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	o := d.believes(ours, "--key", "runattest.pub", "--trusted-root", "trusted_root.json")
	if report := d.report(o); o.code != 1 || !strings.Contains(string(o.stdout), "if you trust its issuer") {
		t.Errorf("a certificate where keys are trusted: exit status %d, %+v", o.code, report)
	}
	d.sign("runattest")
	o = d.believesAs("trusted_root.json", ada, s.Issuer.URL, "runattest.sigstore.json")
	if report := d.report(o); o.code != 1 || !strings.Contains(string(o.stdout), "only certificate identities are trusted") {
		t.Errorf("a key where certificates are trusted: exit status %d, %+v", o.code, report)
	}
}
