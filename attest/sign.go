package attest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/signer"
)

// signings is how often Sign signs at most.
const signings = 3

// SignOptions are how a Statement is signed and carried; the zero value makes a Sigstore
// bundle without evidence.
type SignOptions struct {
	Format  Format           // SigstoreBundle if empty
	Witness evidence.Witness // nil gathers nothing; a bare DSSE envelope has no place for what it gathers
	// Trust, where given, must be convinced by the bundle before it is returned.
	Trust Trust
}

// Signable is an in-toto Statement that this package made, in RFC 8785 form: a *Statement or a
// *Claim.
type Signable interface {
	Bytes() []byte
	payload() []byte // Bytes, and no copy
}

// Sign signs a Statement and gives it as a bundle, or as a bare DSSE envelope. A signer that
// is a signer.Certified puts its certificate into the bundle. What Sign made it has verified:
// with the signer's public key, and with o.Trust where that is given; that trust does not
// believe it is a *VerificationError.
func Sign(ctx context.Context, s Signable, by signer.Signer, o SignOptions) (*Bundle, error) {
	if s == nil || len(s.payload()) == 0 {
		return nil, errors.New("sign: no statement")
	}
	if zero.IsNil(by) || by.PublicKey() == nil {
		return nil, errors.New("sign: no signer, or one without a public key")
	}
	if o.Witness != nil && zero.IsNil(o.Witness) {
		return nil, fmt.Errorf("sign: the Witness is a nil %T: want one, or nothing", o.Witness)
	}
	if o.Trust != nil && zero.IsNil(o.Trust) { // before anything is published
		return nil, fmt.Errorf("sign: the Trust is a nil %T: want one, or nothing", o.Trust)
	}
	b := &Bundle{format: o.Format, payloadType: PayloadType, payload: s.payload()}
	if b.format == "" {
		b.format = SigstoreBundle
	}
	if err := b.nameSigner(by, o.Witness != nil); err != nil {
		return nil, err
	}
	if err := b.signWitnessed(ctx, by, o.Witness); err != nil {
		return nil, err
	}
	text, err := b.Marshal()
	if err != nil {
		return nil, err
	}
	again, err := parseBundle(text) // what a verifier will read, if it can
	if err != nil {
		return nil, fmt.Errorf("sign: what was made cannot be read: %w", err)
	}
	if err := again.convince(ctx, o.Trust); err != nil {
		return nil, err
	}
	return again, nil
}

// nameSigner puts into the bundle who is going to sign.
func (b *Bundle) nameSigner(by signer.Signer, witnessed bool) error {
	certified, _ := by.(signer.Certified)
	switch b.format {
	case SigstoreBundle:
		b.mediaType = BundleMediaType
		if certified != nil {
			b.material.certificates = [][]byte{certified.Certificate()}
		} else {
			b.material.keyHint = by.PublicKey().Hint()
		}
	case DSSE:
		if certified != nil || witnessed {
			return fmt.Errorf("%w: want format %s", ErrNoPlace, SigstoreBundle)
		}
	default:
		return fmt.Errorf("unknown bundle format %q: want %s or %s", b.format, SigstoreBundle, DSSE)
	}
	return nil
}

// signWitnessed signs until the signature is witnessed, or as often as makes sense.
func (b *Bundle) signWitnessed(ctx context.Context, by signer.Signer, w evidence.Witness) error {
	for n := 1; ; n++ {
		before := b.signatures
		if err := b.sign(ctx, by); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
		if w == nil {
			return nil
		}
		var err error
		b.material.evidence, err = w.Witness(ctx, b.envelope(0))
		same := before != nil && bytes.Equal(before[0].bytes, b.signatures[0].bytes) // as RSA and Ed25519 sign
		if !errors.Is(err, evidence.ErrSignAgain) || n == signings || same {
			return err
		}
	}
}

func (b *Bundle) sign(ctx context.Context, by signer.Signer) error {
	key := by.PublicKey()
	message := evidence.Envelope{PayloadType: b.payloadType, Payload: b.payload}.Message()
	sig, err := by.Sign(ctx, message)
	if err != nil {
		return err
	}
	if err := key.Verify(message, sig); err != nil {
		return fmt.Errorf("the signer's own key does not accept what it signed: %w", err)
	}
	made := signature{bytes: sig}
	if len(b.material.certificates) == 0 {
		made.keyID = key.Hint() // in a bundle the same as publicKey.hint: bundle.proto
	}
	b.signatures = []signature{made}
	return nil
}

// convince lets trust check the new bundle before it is returned.
func (b *Bundle) convince(ctx context.Context, trust Trust) error {
	if trust == nil {
		return nil
	}
	o := b.CheckTrust(ctx, trust)
	checks := []evidence.Check{o.Signature, o.Signer, o.Time}
	for _, c := range checks {
		if c.Verdict != evidence.Pass && (c.Verdict != evidence.NotChecked || c.Name != evidence.CheckTime) {
			return &VerificationError{Report{Checks: checks}}
		}
	}
	return nil
}
