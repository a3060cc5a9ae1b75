// Package pkcs11 signs with keys in hardware modules.
//
// A key is named by RFC 7512's attributes:
//
//	pkcs11://token=ci;object=signer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/secrets/pin
//
// The module's path and the PIN can also come from PKCS11_MODULE_PATH and PKCS11_PIN. The PIN
// is not a part of a reference, because references appear in process lists and logs.
package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"

	"github.com/ThalesGroup/crypto11"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
)

// Key is a key pair in a module.
type Key struct {
	pair crypto11.Signer
	hash crypto.Hash
}

var _ kms.SignerVerifier = (*Key)(nil)

// Load opens the one key pair that the reference names. The module stays open until the
// process ends.
func Load(ref string, hash crypto.Hash) (*Key, error) {
	u, err := parseURI(ref)
	if err != nil {
		return nil, err
	}
	config, err := u.config()
	if err != nil {
		return nil, err
	}
	module, err := crypto11.Configure(config)
	if err != nil {
		return nil, fmt.Errorf("PKCS#11 module %s: %w", config.Path, err)
	}
	pairs, err := module.FindKeyPairs(u.id, []byte(u.object))
	switch {
	case err != nil:
		return nil, fmt.Errorf("key %s: %w", u.key(), err)
	case len(pairs) == 0 && config.LoginNotSupported:
		return nil, fmt.Errorf("key %s: not found; without a PIN (%s, or pin-source) private keys may be hidden", u.key(), pinVariable)
	case len(pairs) == 0:
		return nil, fmt.Errorf("key %s: not found", u.key())
	case len(pairs) > 1:
		return nil, fmt.Errorf("key %s: %d keys match; name one by id", u.key(), len(pairs))
	}
	return &Key{pairs[0], hash}, nil
}

// hashes are those that a caller can ask for. Ed25519 is not among what crypto11 signs.
var hashes = []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}

// PublicKey is the public half, as it is in the module.
func (k *Key) PublicKey(...signature.PublicKeyOption) (crypto.PublicKey, error) {
	return k.pair.Public(), nil
}

// SignMessage hashes here and signs in the module: ECDSA in ASN.1, RSA by PKCS #1 v1.5.
func (k *Key) SignMessage(message io.Reader, options ...signature.SignOption) ([]byte, error) {
	hash, err := k.hashFor(func(o *crypto.SignerOpts) {
		for _, option := range options {
			option.ApplyCryptoSignerOpts(o)
		}
	})
	if err != nil {
		return nil, err
	}
	digest, hash, err := signature.ComputeDigestForSigning(message, hash, hashes, options...)
	if err != nil {
		return nil, err
	}
	return k.pair.Sign(rand.Reader, digest, hash)
}

// VerifySignature verifies here, with the public half.
func (k *Key) VerifySignature(sig, message io.Reader, options ...signature.VerifyOption) error {
	hash, err := k.hashFor(func(o *crypto.SignerOpts) {
		for _, option := range options {
			option.ApplyCryptoSignerOpts(o)
		}
	})
	if err != nil {
		return err
	}
	verifier, err := signature.LoadVerifier(k.pair.Public(), hash)
	if err != nil {
		return err
	}
	return verifier.VerifySignature(sig, message, options...)
}

// hashFor is the hash that the call asks for, or else the one that goes with the key.
func (k *Key) hashFor(apply func(*crypto.SignerOpts)) (crypto.Hash, error) {
	var asked crypto.SignerOpts = k.hash
	apply(&asked)
	if hash := asked.HashFunc(); hash != 0 {
		return hash, nil
	}
	switch public := k.pair.Public().(type) {
	case *rsa.PublicKey:
		return crypto.SHA256, nil
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			return crypto.SHA256, nil
		case elliptic.P384():
			return crypto.SHA384, nil
		case elliptic.P521():
			return crypto.SHA512, nil
		}
	}
	return 0, fmt.Errorf("a key of type %T: want ECDSA P-256, P-384, P-521 or RSA", k.pair.Public())
}

// CreateKey refuses: modules differ in what a key must be given.
func (k *Key) CreateKey(context.Context, string) (crypto.PublicKey, error) {
	return nil, errors.New("keys are made with the module's own tool, such as pkcs11-tool --keypairgen")
}

// CryptoSigner is the key as package crypto knows it.
func (k *Key) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return k.pair, k.hash, nil
}

// SupportedAlgorithms are those of keys that are there already.
func (k *Key) SupportedAlgorithms() []string {
	return []string{"ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"}
}

// DefaultAlgorithm is runattest's.
func (k *Key) DefaultAlgorithm() string { return "ecdsa-p256" }
