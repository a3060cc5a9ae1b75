package sigstore

import (
	"github.com/runattest/runattest/signer"
)

// certifiedSigner is a key that lives as long as its certificate.
type certifiedSigner struct {
	signer.Signer
	certificate []byte
}

var _ signer.Certified = (*certifiedSigner)(nil)

func (s *certifiedSigner) Certificate() []byte { return s.certificate }
