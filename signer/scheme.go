package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1" // to name what is refused
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/runattest/runattest/internal/zero"
)

// Scheme says how Verify wants a message to be signed with such a key.
func (k *PublicKey) Scheme() string {
	k = zero.IfNil(k)
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		return fmt.Sprintf("ECDSA %s with %s%s", key.Curve.Params().Name, k.algorithm.Hash(), inDER)
	case *rsa.PublicKey:
		return "RSA PKCS #1 v1.5 with " + k.algorithm.Hash().String()
	}
	return "Ed25519"
}

// OtherScheme is the scheme in which signature is by the key over message, where that is another one than
// Scheme; "" if there is none. It explains why Verify says no, and proves nothing: one key and two
// schemes are two algorithms, and the holder of the key has agreed to one.
func (k *PublicKey) OtherScheme(message, signature []byte) string {
	return NewSchemes(message).Of(k, signature)
}

// Schemes finds the schemes of signatures over one message, which it hashes once for however many keys.
type Schemes struct {
	message []byte
	digests map[crypto.Hash][]byte
}

// NewSchemes is for signatures over message, which is not kept longer than the Schemes.
func NewSchemes(message []byte) *Schemes {
	return &Schemes{message, map[crypto.Hash][]byte{}}
}

func (s *Schemes) digest(h crypto.Hash) []byte {
	if s.digests[h] == nil {
		w := h.New()
		w.Write(s.message)
		s.digests[h] = w.Sum(nil)
	}
	return s.digests[h]
}

// Of is OtherScheme of a key. It is not safe for concurrent use.
func (s *Schemes) Of(k *PublicKey, signature []byte) string {
	if s == nil || s.digests == nil {
		return ""
	}
	k = zero.IfNil(k)
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		return s.ecdsa(key, k.algorithm.Hash(), signature)
	case *rsa.PublicKey:
		return s.rsa(key, k.algorithm.Hash(), signature)
	case ed25519.PublicKey:
		ph := &ed25519.Options{Hash: crypto.SHA512}
		if ed25519.VerifyWithOptions(key, s.digest(crypto.SHA512), signature, ph) == nil {
			return "Ed25519ph"
		}
		for _, h := range schemeHashes { // as a KMS does that is given digests
			if ed25519.Verify(key, s.digest(h), signature) {
				return "Ed25519 over " + h.String()
			}
		}
	}
	return ""
}

// schemeHashes are those that other clients sign with.
var schemeHashes = [...]crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA224, crypto.SHA1}

const inDER = " in ASN.1 DER"

func (s *Schemes) ecdsa(key *ecdsa.PublicKey, own crypto.Hash, signature []byte) string {
	der, form := signature, inDER
	if size := (key.Curve.Params().BitSize + 7) / 8; len(signature) == 2*size && !isDER(signature) {
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		var err error
		if der, err = asn1.Marshal(struct{ R, S *big.Int }{r, s}); err != nil {
			return ""
		}
		form = ", r and s side by side (IEEE P1363)"
	} else if !isDER(signature) {
		return ""
	}
	for _, h := range schemeHashes {
		if (h != own || form != inDER) && ecdsa.VerifyASN1(key, s.digest(h), der) {
			return fmt.Sprintf("ECDSA %s with %s%s", key.Curve.Params().Name, h, form)
		}
	}
	return ""
}

func (s *Schemes) rsa(key *rsa.PublicKey, own crypto.Hash, signature []byte) string {
	if len(signature) != key.Size() {
		return ""
	}
	for _, h := range schemeHashes {
		digest := s.digest(h)
		if rsa.VerifyPSS(key, h, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil {
			return "RSA-PSS with " + h.String()
		}
		if h != own && rsa.VerifyPKCS1v15(key, h, digest, signature) == nil {
			return "RSA PKCS #1 v1.5 with " + h.String()
		}
	}
	return ""
}

func isDER(signature []byte) bool {
	var parts struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &parts)
	return err == nil && len(rest) == 0
}
