package attest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
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

// silent says nothing of what it is asked.
type silent struct{}

func (silent) CheckEnvelope(context.Context, evidence.Envelope) evidence.Result {
	return evidence.Result{}
}

// TestSignConvinces: a trust check that does not say yes is not convinced.
func TestSignConvinces(t *testing.T) {
	s, key := newStatement(t, StatementOptions{}), newSigner(t, signer.Ed25519)
	if b, err := Sign(ctx, s, key, SignOptions{Trust: silent{}}); b != nil || !errors.As(err, new(*VerificationError)) {
		t.Errorf("got %v, %v", b, err)
	}
	if _, err := Sign(ctx, s, key, SignOptions{Trust: careless{}}); err != nil {
		t.Error(err)
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

// TestForms holds what is signed and what carries it against RFC 8785, with strings that have to be escaped.
func TestForms(t *testing.T) {
	odd := "\x00\x1f \"\\/\u2028é\U0001F600\x7f"
	d := parse(t, declarationText)
	s, err := New(d, StatementOptions{
		Annotations: map[string]string{odd: odd, "a": "b", "\ue000": "1", "\U0001F600": "2"},
		Subjects:    []Subject{{Name: odd, SHA256: sha256.Sum256(nil)}, {Name: "b", SHA256: sha256.Sum256([]byte("b"))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	detached, err := New(d, StatementOptions{Detached: &DeclarationRef{Name: odd, URI: odd}})
	if err != nil {
		t.Fatal(err)
	}
	texts := [][]byte{s.Bytes(), detached.Bytes()}
	for _, format := range []Format{SigstoreBundle, DSSE} {
		b, err := Sign(t.Context(), s, newSigner(t, signer.ECDSAP256), SignOptions{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	for _, text := range texts {
		if form, err := canonical.Transform(text); err != nil || !bytes.Equal(form, text) {
			t.Errorf("%s\nwant %s, %v", text, form, err)
		}
	}
}

// TestParseStatement reads what New has made, and nothing whose parts disagree.
func TestParseStatement(t *testing.T) {
	for name, o := range map[string]StatementOptions{
		"embedded": {Annotations: map[string]string{"a": "b"}, Subjects: []Subject{{Name: "x", SHA256: [32]byte{1}}}}, "detached": {Detached: &DeclarationRef{URI: "https://example.com"}},
	} {
		want := newStatement(t, o)
		got, err := ParseStatement(want.Bytes())
		if err != nil || got.ID() != want.ID() || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s: %v", name, err)
		}
		text := want.Bytes()
		for i := range text {
			text[i] ^= 1
			if got, err := ParseStatement(text); err == nil && bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%s: byte %d is changed, and the Statement is not", name, i)
			} else if err == nil && name == "embedded" && got.ID() != want.ID() {
				t.Errorf("%s: byte %d is changed: %s", name, i, text)
			}
			text[i] ^= 1
		}
		for _, part := range []string{`"identity":"airun:1:sha256:`, `"sha256":"`, `"name":"airun:1:sha256:`} {
			at := bytes.LastIndex(text, []byte(part)) + len(part)
			if name == "embedded" && part == `"sha256":"` { // the last is of another subject
				continue
			}
			other := bytes.Clone(text)
			if other[at] = '0'; text[at] == '0' {
				other[at] = '1'
			}
			if _, err := ParseStatement(other); err == nil {
				t.Errorf("%s: another digit after %s", name, part)
			}
		}
	}
}
