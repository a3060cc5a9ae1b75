package e2e

import (
	"bytes"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// strangers are services that no trusted root names.
func strangers(t *testing.T) *services.Services {
	t.Helper()
	s, err := services.Place{Bin: bin, Dir: t.TempDir()}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Each member of the trusted root vouches for its part, and each part is missed when it is a stranger's.
func TestWhoVouches(t *testing.T) {
	const (
		noChain = "by no authority that the trusted root names"
		noSCT   = "carries no signed certificate timestamp (SCT) by a log that the trusted root names"
		noTime  = "no trusted timestamp: "
	)
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	other := strangers(t).TrustedRoot()
	past := time.Now().Add(-time.Hour)
	for _, c := range []struct {
		name          string
		alter         func(*services.TrustedRoot)
		check, reason string
	}{
		{"all of them", func(*services.TrustedRoot) {}, "", ""},
		{"strangers besides", func(r *services.TrustedRoot) {
			r.CertificateAuthorities = append(other.CertificateAuthorities, r.CertificateAuthorities...)
			r.TimestampAuthorities = append(other.TimestampAuthorities, r.TimestampAuthorities...)
			r.CTLogs = append(other.CTLogs, r.CTLogs...)
		}, "", ""},
		{"other authority", func(r *services.TrustedRoot) { r.CertificateAuthorities = other.CertificateAuthorities }, "signer", noChain},
		{"authority's end", func(r *services.TrustedRoot) { r.CertificateAuthorities[0].ValidFor = upTo(past) }, "signer", noChain},
		{"other ct log", func(r *services.TrustedRoot) { r.CTLogs = other.CTLogs }, "signer", noSCT},
		{"other ct log's key", func(r *services.TrustedRoot) { r.CTLogs[0].PublicKey = other.CTLogs[0].PublicKey }, "signer", noSCT},
		{"ct log's end", func(r *services.TrustedRoot) { r.CTLogs[0].PublicKey.ValidFor = upTo(past) }, "signer", noSCT},
		{"no log", func(r *services.TrustedRoot) { r.Tlogs = nil }, "", ""}, // then none is asked for
		{"other log", func(r *services.TrustedRoot) { r.Tlogs = other.Tlogs }, "time", "the trusted root names no log"},
		{"other log's key", func(r *services.TrustedRoot) { r.Tlogs[0].PublicKey = other.Tlogs[0].PublicKey }, "time", "log entry 0"},
		{"log's name", func(r *services.TrustedRoot) { r.Tlogs[0].BaseURL = "https://log.local.test" }, "time", "log entry 0"},
		{"no timestamper", func(r *services.TrustedRoot) { r.TimestampAuthorities = nil }, "time", "no timestamp authority is configured to prove when it was signed"},
		{"other timestamper", func(r *services.TrustedRoot) { r.TimestampAuthorities = other.TimestampAuthorities }, "time", noTime},
		{"timestamper's end", func(r *services.TrustedRoot) { r.TimestampAuthorities[0].ValidFor = upTo(past) }, "time", "the authority is trusted from "},
		{"timestamper's begin", func(r *services.TrustedRoot) {
			r.TimestampAuthorities[0].ValidFor = services.TimeRange{Start: time.Now().Add(time.Hour)}
		}, "time", "the authority is trusted from "},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			root := s.TrustedRoot()
			c.alter(root)
			d.writeJSON("altered.json", root)
			o := d.believesAs("altered.json", ada, s.Issuer.URL, ours)
			if c.check == "" {
				o.yes()
			} else {
				o.no(c.check, c.reason)
			}
		})
	}
}

func upTo(end time.Time) services.TimeRange {
	return services.TimeRange{Start: end.Add(-time.Hour), End: end}
}

// A certificate that no log has seen is refused where the trusted root names certificate transparency logs, at signing already.
func TestCertificateWithoutSCT(t *testing.T) {
	d, s := useOurs(t)
	fulcio, err := services.Place{Bin: bin, Dir: t.TempDir()}.Fulcio(t.Context(), nil, s.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	defer fulcio.Stop()
	root := s.TrustedRoot()
	root.CertificateAuthorities = []services.Authority{fulcio.Authority}
	d.writeJSON("logs.json", root)
	root.CTLogs = nil
	d.writeJSON("no_logs.json", root)
	const noSCT = "carries no signed certificate timestamp (SCT)"
	d.signsKeyless(ours, "--fulcio", fulcio.URL, "--trusted-root", "no_logs.json").ok()
	d.believesAs("no_logs.json", ada, s.Issuer.URL, ours).yes()
	d.believesAs("logs.json", ada, s.Issuer.URL, ours).no("signer", noSCT)
	d.touchesNothing(func() {
		d.signsKeyless(ours, "--fulcio", fulcio.URL, "--trusted-root", "logs.json").refused("not verified: signer: the certificate " + noSCT)
	})
}

// A trusted root that cannot be read is malformed input, to runattest and to cosign.
func TestMalformedTrustedRoot(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	fulcio := startFront(t, s.Fulcio.URL, none)
	edit := func(change func(*services.TrustedRoot)) func() {
		return func() {
			root := s.TrustedRoot()
			change(root)
			d.writeJSON("bad.json", root)
		}
	}
	replace := func(old, new string) func() {
		return func() { d.write("bad.json", bytes.Replace(d.read("trusted_root.json"), []byte(old), []byte(new), 1)) }
	}
	now := time.Now()
	upsideDown := services.TimeRange{Start: now, End: now.Add(-time.Second)}
	for _, c := range []struct {
		name   string
		make   func()
		reason string
	}{
		{"media type", edit(func(r *services.TrustedRoot) { r.MediaType = "application/vnd.example+json" }), `mediaType is "application/vnd.example+json", want one of application/vnd.dev.sigstore.trustedroot+json;version=0.1`},
		{"no media type", edit(func(r *services.TrustedRoot) { r.MediaType = "" }), `mediaType is ""`},
		{"duplicate member", replace(`"tlogs"`, `"ctlogs": [], "tlogs"`), "duplicate member name"},
		{"duplicate in an element", replace(`"uri"`, `"uri": "https://x", "uri"`), "duplicate member name"},
		{"unknown member", replace(`"tlogs"`, `"tLogs": [], "tlogz"`), "unknown field"},
		{"trailing data", func() { d.write("bad.json", append(d.read("trusted_root.json"), "{}"...)) }, "trusted root: "},
		{"cut", func() { d.write("bad.json", d.read("trusted_root.json")[:1000]) }, "trusted root: "},
		{"empty", func() { d.write("bad.json", nil) }, "bad.json"},
		{"a page", func() { d.write("bad.json", []byte("<!DOCTYPE html>\n")) }, "not a Sigstore TrustedRoot: it is a web page"},
		{"a bundle", func() { d.write("bad.json", d.read(ours)) }, "not a Sigstore TrustedRoot: it is a bundle"},
		{"authority's validity", edit(func(r *services.TrustedRoot) { r.CertificateAuthorities[0].ValidFor = upsideDown }), "certificateAuthorities[0]: validFor: ends "},
		{"timestamper's validity", edit(func(r *services.TrustedRoot) { r.TimestampAuthorities[0].ValidFor = upsideDown }), "timestampAuthorities[0]: validFor: ends "},
		{"log's validity", edit(func(r *services.TrustedRoot) { r.Tlogs[0].PublicKey.ValidFor = upsideDown }), "tlogs[0]: validFor: ends "},
		{"ct log's validity", edit(func(r *services.TrustedRoot) { r.CTLogs[0].PublicKey.ValidFor = upsideDown }), "ctlogs[0]: validFor: ends "},
		{"one log twice", edit(func(r *services.TrustedRoot) { r.Tlogs = append(r.Tlogs, r.Tlogs[0]) }), "tlogs[1]: a second log with the ID"},
		{"no certificate", edit(func(r *services.TrustedRoot) { r.CertificateAuthorities[0].CertChain.Certificates = nil }), "trusted root: "},
		{"garbage certificate", edit(func(r *services.TrustedRoot) {
			r.TimestampAuthorities[0].CertChain.Certificates = []services.Certificate{{RawBytes: []byte("x")}} // the services' own stays
		}), "trusted root: "},
		{"garbage key", edit(func(r *services.TrustedRoot) { r.CTLogs[0].PublicKey.RawBytes = []byte("x") }), "trusted root: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			c.make()
			d.touchesNothing(func() {
				d.believesAs("bad.json", ada, s.Issuer.URL, ours).malformed(c.reason)
				d.signsKeyless(ours, "--trusted-root", "bad.json", "--fulcio", fulcio.URL).malformed(c.reason)
			})
		})
	}
	if n := fulcio.Requests(); n != 0 {
		t.Errorf("%d certificates were asked for, and logged, before the trusted root was read; want none", n)
	}
}
