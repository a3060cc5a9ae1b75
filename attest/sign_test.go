package attest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/signer"
)

// forgetful witnesses the nth signature that it is shown.
type forgetful struct {
	asked, willing int
	seen           map[string]bool
}

func (f *forgetful) Witness(_ context.Context, e evidence.Envelope) (evidence.Material, error) {
	f.asked++
	f.seen[string(e.Signature)] = true
	if f.asked < f.willing {
		return evidence.Material{}, fmt.Errorf("lost the answer: %w", evidence.ErrSignAgain)
	}
	return evidence.Material{Timestamps: [][]byte{[]byte("stamp")}}, nil
}

// TestSignAgain signs anew for a witness that wants another signature, a few times, and not at
// all where the signature would be the same.
func TestSignAgain(t *testing.T) {
	for _, c := range []struct {
		algorithm      signer.Algorithm
		willing, asked int
		made           bool
	}{
		{signer.ECDSAP256, 1, 1, true},
		{signer.ECDSAP256, 2, 2, true},
		{signer.ECDSAP256, signings, signings, true},
		{signer.ECDSAP256, signings + 1, signings, false},
		{signer.Ed25519, 2, 2, true},
		{signer.Ed25519, 3, 2, false},
	} {
		w := &forgetful{willing: c.willing, seen: map[string]bool{}}
		b, err := Sign(ctx, newStatement(t, StatementOptions{}), newSigner(t, c.algorithm), SignOptions{Witness: w})
		if (b != nil) != c.made || w.asked != c.asked || !c.made && !errors.Is(err, evidence.ErrSignAgain) {
			t.Errorf("%+v: %v, %v after %d", c, b, err, w.asked)
		}
		if c.algorithm == signer.ECDSAP256 && len(w.seen) != w.asked {
			t.Errorf("%+v: %d different signatures in %d", c, len(w.seen), w.asked)
		}
	}
}

// careless believes every signature and asks for no time.
type careless struct{}

func (careless) CheckEnvelope(context.Context, evidence.Envelope) evidence.Result {
	return evidence.Result{
		Signature: evidence.Passed(evidence.CheckSignature, "yes"), Signer: evidence.Passed(evidence.CheckSigner, "yes"), Time: evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "why?"),
		By: &evidence.SignerIdentity{Kind: evidence.SignedByCertificate, Name: "ada@acme.example"},
	}
}

// TestCertificateNeedsTime: a certificate without trusted time fails, whatever the result of the trust check.
func TestCertificateNeedsTime(t *testing.T) {
	b := signed(t, newStatement(t, StatementOptions{}), newSigner(t, signer.Ed25519), SigstoreBundle)
	b.material = material{certificates: [][]byte{[]byte("a")}}
	verifier, err := NewVerifier(careless{})
	if err != nil {
		t.Fatal(err)
	}
	var no *VerificationError
	if v, err := verifier.Verify(ctx, b, Expect{}); !errors.As(err, &no) {
		t.Errorf("got %v, %v", v, err)
	}
}
