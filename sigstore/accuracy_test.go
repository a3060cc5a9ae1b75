package sigstore

import (
	"context"
	"crypto"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// TestAccuracy: an authority vouches for its time give or take the accuracy, and what is asked is held against the end of that
// which says yes last.
func TestAccuracy(t *testing.T) {
	const day = 24 * time.Hour
	top := pkitest.Root("Acme Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	ending := top.Issue("Acme Ends", pkitest.Stamper, pkitest.Valid(pkitest.From, stampedAt.Add(day)))
	bare, key := byKey(t)
	sig := bare.signature(t)
	stamp := func(by *pkitest.Holder, at string, accuracy asn1.RawValue) []byte {
		d := newDraft(by)
		d.info.Imprint.Hash = sum(crypto.SHA256, sig)
		d.info.Time, d.info.Accuracy = generalizedTime(at), accuracy
		return d.response()
	}
	none, tenDays, halfSecond := asn1.RawValue{}, accuracyOf(10*24*3600, -1, -1), accuracyOf(-1, 500, -1)
	const noon = "20261101120000Z"
	for title, c := range map[string]struct {
		stamp   []byte
		before  time.Time
		window  [2]time.Time
		end     time.Time // of the authority's validity
		refused string
		says    string
	}{
		"exact":                          {stamp: stamp(by, noon, none), before: stampedAt, says: "stamped 2026-11-01T12:00:00Z by https://a, not later than 2026-11-01T12:00:00Z"},
		"ten days, before its time":      {stamp: stamp(by, noon, tenDays), before: stampedAt, refused: "signed by 2026-11-11T12:00:00Z at the latest, which does not prove that it was before 2026-11-01T12:00:00Z: 2026-11-01T12:00:00Z (accuracy 240h0m0s)"},
		"ten days, before the last":      {stamp: stamp(by, noon, tenDays), before: stampedAt.Add(10 * day), says: "stamped 2026-11-01T12:00:00Z (accuracy 240h0m0s) by https://a"},
		"half a second":                  {stamp: stamp(by, noon, halfSecond), before: stampedAt, refused: "signed by 2026-11-01T12:00:00.5Z at the latest"},
		"a fraction":                     {stamp: stamp(by, "20261101120000.85Z", none), before: stampedAt, refused: "signed by 2026-11-01T12:00:00.85Z at the latest, which does not prove that it was before 2026-11-01T12:00:00Z"},
		"window ends before the last":    {stamp: stamp(by, noon, tenDays), window: [2]time.Time{{}, stampedAt.Add(9 * day)}, refused: "2026-11-01T12:00:00Z (accuracy 240h0m0s) by https://a is outside the validity of key k"},
		"window ends with the last":      {stamp: stamp(by, noon, tenDays), window: [2]time.Time{{}, stampedAt.Add(10 * day)}},
		"window begins after the first":  {stamp: stamp(by, noon, tenDays), window: [2]time.Time{stampedAt.Add(-9 * day), {}}, refused: "is outside the validity of key k"},
		"window begins with the first":   {stamp: stamp(by, noon, tenDays), window: [2]time.Time{stampedAt.Add(-10 * day), {}}},
		"authority ends before the last": {stamp: stamp(by, noon, tenDays), end: stampedAt.Add(9 * day), refused: "by https://a: the time may be as late as 2026-11-11T12:00:00Z, after the validity of its authority"},
		"authority ends with the last":   {stamp: stamp(by, noon, tenDays), end: stampedAt.Add(10 * day)},
		"certificate ends before":        {stamp: stamp(ending, noon, tenDays), refused: "by https://a: the time may be as late as 2026-11-11T12:00:00Z: x509: certificate has expired"},
		"certificate ends later":         {stamp: stamp(ending, noon, halfSecond)},
	} {
		t.Run(title, func(t *testing.T) {
			p := parts{"mediaType": bare["mediaType"], "dsseEnvelope": bare["dsseEnvelope"], "verificationMaterial": parts{"publicKey": bare.material()["publicKey"]}}
			o := TrustOptions{
				Root: rootWith(t, namedChain{url: "https://a", chain: []*pkitest.Holder{top}, valid: period{until: c.end}}),
				Keys: []attest.TrustedKey{{Name: "k", Key: key, NotBefore: c.window[0], NotAfter: c.window[1]}}, RequireTimestamps: 1,
			}
			if !c.before.IsZero() {
				o.SignedBefore = &c.before
			}
			check := p.stamp(c.stamp).bundle(t).CheckTrust(context.Background(), trusting(t, o)).Time
			want, verdict := c.says, evidence.Pass
			if c.refused != "" {
				want, verdict = c.refused, evidence.Fail
			}
			if check.Verdict != verdict || !strings.Contains(check.Reason, want) {
				t.Errorf("got %s: %s\nwant %s: %s", check.Verdict, check.Reason, verdict, want)
			}
		})
	}
}

// TestAccuracyOfTwo: each of the timestamps required is held against the deadline at the latest that it may be.
func TestAccuracyOfTwo(t *testing.T) {
	at := func(authority string, accuracy time.Duration) evidence.TrustedTime {
		return evidence.TrustedTime{Kind: timestampKind, Authority: authority, Time: stampedAt, Accuracy: accuracy}
	}
	times := []evidence.TrustedTime{at("a", 0), at("b", time.Second)}
	if n := (findings{times: times}).timestampsUntil(stampedAt); n != 1 {
		t.Errorf("%d authorities stamped by then, want 1", n)
	}
	if n := (findings{times: times}).timestampsUntil(stampedAt.Add(time.Second)); n != 2 {
		t.Errorf("%d authorities stamped by a second later, want 2", n)
	}
}

// TestCertificateWindow: the end of a certificate is held against the latest that the time may be, its begin against the time.
func TestCertificateWindow(t *testing.T) {
	d := demand{notBefore: stampedAt, notAfter: stampedAt.Add(10 * time.Minute), issued: true}
	for accuracy, want := range map[time.Duration]bool{0: true, time.Second: true, 10 * time.Minute: true, 11 * time.Minute: false} {
		if got := d.includes(evidence.TrustedTime{Time: stampedAt, Accuracy: accuracy}); got != want {
			t.Errorf("accuracy %s: %v, want %v", accuracy, got, want)
		}
	}
	if d.includes(evidence.TrustedTime{Time: stampedAt.Add(-time.Second), Accuracy: time.Minute}) {
		t.Error("a time before the certificate was issued is inside")
	}
}
