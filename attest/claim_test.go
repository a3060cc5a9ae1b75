package attest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

const testClaim = "https://example.com/claim/v1"

func newClaim(t *testing.T) *Claim {
	t.Helper()
	c, err := NewClaim(testClaim, []Subject{{"airun:1:sha256:" + strings.Repeat("ab", 32), [32]byte{1}}}, map[string]any{"decision": "yes", "n": 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClaim(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	b, err := Sign(ctx, newClaim(t), key, SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b = reread(t, b)
	c, err := trusting(t, key).VerifyClaim(ctx, b, testClaim)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Predicate()); got != `{"decision":"yes","n":1}` || len(c.Subjects()) != 1 || c.Signer().Name != "key 0" {
		t.Errorf("%s %v %v", got, c.Subjects(), c.Signer())
	}
	if got := b.UnverifiedPredicateType(); got != testClaim {
		t.Errorf("predicate type %q", got)
	}
	if v, err := trusting(t, key).Verify(ctx, b, Expect{}); err == nil {
		t.Errorf("a claim is verified as a run: %v", v)
	}
}

// TestClaimRefused: what is signed by another, of another type, or not a strict Statement.
func TestClaimRefused(t *testing.T) {
	key, other := newSigner(t, signer.ECDSAP256), newSigner(t, signer.Ed25519)
	good := string(newClaim(t).Bytes())
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the claim", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, c := range map[string]struct {
		by          signer.Signer
		payloadType string
		payload     string
		check       string
	}{
		"another signer":  {other, PayloadType, good, "signer=fail"},
		"another type":    {key, PayloadType, edit("claim/v1", "claim/v2"), "statement=fail"},
		"a run":           {key, PayloadType, string(newStatement(t, StatementOptions{}).Bytes()), "statement=fail"},
		"payload type":    {key, "text/plain", good, "statement=fail"},
		"duplicate":       {key, PayloadType, edit(`"n":1`, `"n":1,"n":2`), "statement=fail"},
		"unknown member":  {key, PayloadType, edit(`"subject":`, `"x":1,"subject":`), "statement=fail"},
		"no subject":      {key, PayloadType, edit(`"subject":[`, `"subject":[],"x":[`), "statement=fail"},
		"inexact number":  {key, PayloadType, edit(`"n":1`, `"n":9007199254740993`), "statement=fail"},
		"predicate array": {key, PayloadType, edit(`{"decision":"yes","n":1}`, `[]`), "statement=fail"},
		"Statement v0.1":  {key, PayloadType, edit("Statement/v1", "Statement/v0.1"), "statement=fail"},
		"empty":           {key, PayloadType, "", "statement=fail"},
	} {
		b := resigned(t, c.by, c.payloadType, c.payload)
		v, err := trusting(t, key).VerifyClaim(ctx, b, testClaim)
		var no *VerificationError
		if !errors.As(err, &no) || !strings.Contains(verdicts(no.Report.Checks), c.check) {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
}

func TestNewClaimRefuses(t *testing.T) {
	run := []Subject{{"a", [32]byte{1}}}
	for name, f := range map[string]func() (*Claim, error){
		"no subject":      func() (*Claim, error) { return NewClaim(testClaim, nil, map[string]any{}) },
		"subject twice":   func() (*Claim, error) { return NewClaim(testClaim, append(run, run...), map[string]any{}) },
		"no object":       func() (*Claim, error) { return NewClaim(testClaim, run, 5) },
		"inexact numbers": func() (*Claim, error) { return NewClaim(testClaim, run, map[string]any{"n": uint64(1)<<63 + 1}) },
		"a channel":       func() (*Claim, error) { return NewClaim(testClaim, run, make(chan int)) },
	} {
		if c, err := f(); err == nil {
			t.Errorf("%s: %s", name, c.Bytes())
		}
	}
}

// A verdict quotes a part of what is very long.
func TestLongReason(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	c, err := NewClaim("https://example.com/"+strings.Repeat("a", 1<<20), []Subject{{"x", [32]byte{1}}}, map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Sign(ctx, c, key, SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = trusting(t, key).Verify(ctx, b, Expect{})
	if text := err.Error(); len(text) > 2*limits.Shown || !strings.Contains(text, "want "+PredicateType) {
		t.Errorf("%d bytes: %.100s", len(text), text)
	}
}

// TestSignedBefore: of several times it is the first of those by which the signature surely existed, whatever an authority's accuracy.
func TestSignedBefore(t *testing.T) {
	at := time.Date(2026, 11, 28, 19, 2, 6, 0, time.UTC)
	for want, times := range map[time.Time][]evidence.TrustedTime{
		{}:                           nil,
		at.Add(240 * time.Hour):      {{Time: at, Accuracy: 240 * time.Hour}},
		at:                           {{Time: at.Add(896 * time.Millisecond)}, {Time: at}},
		at.Add(time.Second):          {{Time: at, Accuracy: time.Hour}, {Time: at.Add(time.Second)}},
		at.Add(2 * time.Millisecond): {{Time: at.Add(time.Millisecond), Accuracy: time.Millisecond}, {Time: at, Accuracy: time.Second}},
	} {
		if got := (&Verified{report: Report{Times: times}}).Report().SignedBefore; !got.Equal(want) {
			t.Errorf("%v: %v, want %v", times, got, want)
		}
	}
}
