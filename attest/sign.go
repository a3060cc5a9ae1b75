package attest

import (
	"context"
	"fmt"

	"github.com/runattest/runattest/signer"
)

// Sign signs a Statement and gives it as a bundle, or as a bare DSSE envelope. What it
// made it has verified with the signer's public key.
func Sign(ctx context.Context, s *Statement, by signer.Signer, format Format) (*Bundle, error) {
	key := by.PublicKey()
	b := &Bundle{format: format, payloadType: PayloadType, payload: s.Bytes()}
	switch format {
	case SigstoreBundle:
		b.material.keyHint = key.Hint()
	case DSSE:
	default:
		return nil, fmt.Errorf("unknown bundle format %q: want %s or %s", format, SigstoreBundle, DSSE)
	}
	message := b.message()
	sig, err := by.Sign(ctx, message)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if err := key.Verify(message, sig); err != nil {
		return nil, fmt.Errorf("sign: the signer's own key does not accept what it signed: %w", err)
	}
	made := signature{bytes: sig}
	if format == DSSE {
		made.keyID = key.Hint() // a bare envelope has no other place for it
	}
	b.signatures = []signature{made}
	return b, nil
}
