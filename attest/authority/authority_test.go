package authority

import (
	"context"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

func TestStatus(t *testing.T) {
	from, until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	trusted := Authority{From: from, Until: until}
	for at, want := range map[time.Time]string{from: "current", until: "current", from.Add(-1): "future", until.Add(1): "past"} {
		if got := trusted.Status(at); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	if got := (Authority{}).Status(time.Now()); got != "current" {
		t.Error(got)
	}
}

func matching(t *testing.T, expr string) Matcher {
	t.Helper()
	m, err := Matching(expr)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMayCover: a signer may be meant as another only where it certainly is, in whatever case and with or without the issuer's slash.
func TestMayCover(t *testing.T) {
	issuer := Exactly("https://x.example")
	matching := func(expr string) Matcher { return matching(t, expr) }
	for _, c := range []struct {
		m, other Matcher
		want     bool
	}{
		{Exactly("a"), Exactly("a"), true},
		{Exactly("a"), Exactly("A"), true},
		{Exactly("a"), Exactly("b"), false},
		{matching("a|b"), Exactly("b"), true},
		{matching("a|b"), Exactly("bb"), false},
		{matching("(ada|bob)@x"), matching("(bob|Ada)@x"), true},
		{matching("(ada|bob)@x"), matching("(bob|eve)@x"), false},
		{matching("(ada|bob)@x"), matching("ada@x?"), false}, // "ada@"
		{matching("a{2,3}|b"), matching("(?i)aa|a{3}"), true},
		{matching("a{2,3}|b"), matching("a{1,2}"), false},
		{matching("[a-d]"), matching("[b-c]"), true},
		{matching("[a-d]"), matching("[b-e]"), false},
		{matching("a.*"), matching("a.*"), true},
		{matching(".*"), matching("a.*"), true},
		{Exactly("a"), matching("a"), true},
		{Exactly("a.b"), matching(`a[.]b`), true},
		{Exactly("a.b"), matching(`\Qa.b\E`), true},
		{Exactly("a"), matching("(?i)a"), true},
		{Exactly("a"), matching("a|b"), false},
		{Exactly("axb"), matching("a.b"), false},
		{Exactly(".*"), matching("a"), false},
		{matching("a.*"), matching("ab"), true},
		{matching("a.*"), matching("ab+"), false},               // though it does
		{matching("[a-z]{2}"), matching("[a-z][a-z]"), false},   // nor is this looked at, of 676 texts
		{matching("a*"), matching("(aaaaaaaaaa){1000}"), false}, // nor one so long
	} {
		if got := (CertificateIdentity{c.m, issuer}).MayCover(CertificateIdentity{c.other, issuer}); got != c.want {
			t.Errorf("%s covers %s: %v, want %v", c.m, c.other, got, c.want)
		}
	}
	folded := CertificateIdentity{Exactly("a"), matching("(?i)https://x[.]example")}
	if (CertificateIdentity{Exactly("a"), issuer}).MayCover(folded) || !folded.MayCover(CertificateIdentity{Exactly("a"), issuer}) {
		t.Error("an issuer in any case")
	}
	slash := CertificateIdentity{Exactly("a"), Exactly("https://x.example/")}
	if !slash.MayCover(CertificateIdentity{Exactly("a"), issuer}) || slash.MayCover(CertificateIdentity{Exactly("a"), Exactly("https://y.example")}) {
		t.Error("the issuer")
	}
	if (Matcher{}).Match("") || matching(".*").Match("") {
		t.Error("the empty text is meant")
	}
}

// TestKeysAtAnyTime: who signed is asked for, and not whether the key was valid; a stranger is not trusted.
func TestKeysAtAnyTime(t *testing.T) {
	generate := func() signer.Signer {
		s := keytest.New(t, signer.ECDSAP256)
		return s
	}
	alice, bob := generate(), generate()
	expired := attest.TrustedKey{Name: "alice", Key: alice.PublicKey(), NotAfter: time.Unix(1, 0)}
	trust, err := UnsafeKeysAtAnyTime(expired)
	if err != nil {
		t.Fatal(err)
	}
	for by, want := range map[signer.Signer]evidence.Verdict{alice: evidence.Pass, bob: evidence.Fail} {
		e := evidence.Envelope{PayloadType: "t", Payload: []byte("p")}
		if e.Signature, err = by.Sign(context.Background(), e.Message()); err != nil {
			t.Fatal(err)
		}
		o := trust.CheckEnvelope(context.Background(), e)
		if o.Signature.Verdict != want || (o.By != nil) != (want == evidence.Pass) || (o.Time.Verdict == evidence.Pass) != (want == evidence.Pass) {
			t.Errorf("%+v, want %s", o, want)
		}
	}
	if _, err := UnsafeKeysAtAnyTime(); err != attest.ErrNoTrust {
		t.Error(err)
	}
}
