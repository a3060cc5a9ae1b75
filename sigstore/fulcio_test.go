package sigstore

import (
	"crypto/x509"
	"testing"
	"time"
)

// TestCertificateTime: a certificate is good a little longer than it says, since clocks differ, and the time here is told in seconds.
func TestCertificateTime(t *testing.T) {
	from, until := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 3, 14, 5, 0, time.UTC)
	s := &certifiedSigner{leaf: &leafCertificate{leaf: &x509.Certificate{NotBefore: from, NotAfter: until}}}
	for now, want := range map[time.Time]string{
		from.Add(-clockSkew): "", until.Add(clockSkew): "", from: "",
		from.Add(-clockSkew - 1): "the certificate is valid from 2026-01-02T03:04:05Z, but it is 2026-01-02T02:59:04Z here: is this machine's clock right?",
		until.Add(clockSkew + 1): "the certificate was valid until 2026-01-02T03:14:05Z, and it is 2026-01-02T03:19:05Z here",
	} {
		got := ""
		if err := s.checkTime(now); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", now, got, want)
		}
	}
}
