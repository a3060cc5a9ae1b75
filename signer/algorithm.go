package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
)

// Algorithm is a kind of key with the hash that goes with it.
type Algorithm string

// The algorithms, under the names that keygen takes.
const (
	ECDSAP256 Algorithm = "ecdsa-p256"
	ECDSAP384 Algorithm = "ecdsa-p384"
	ECDSAP521 Algorithm = "ecdsa-p521"
	Ed25519   Algorithm = "ed25519"
	RSA2048   Algorithm = "rsa-2048"
	RSA3072   Algorithm = "rsa-3072"
	RSA4096   Algorithm = "rsa-4096"
)

// Algorithms are the algorithms that Generate knows, the default first.
func Algorithms() []Algorithm {
	return []Algorithm{ECDSAP256, ECDSAP384, ECDSAP521, Ed25519, RSA2048, RSA3072, RSA4096}
}

// algorithmOf is the algorithm of a public key, or says why the key is refused.
func algorithmOf(key crypto.PublicKey) (Algorithm, error) {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if key == nil || key.Curve == nil {
			return "", errors.New("key: an ECDSA key without a curve")
		}
		switch key.Curve {
		case elliptic.P256():
			return ECDSAP256, checkECDSA(key, p256Multiples)
		case elliptic.P384():
			return ECDSAP384, checkECDSA(key, p384Multiples)
		case elliptic.P521():
			return ECDSAP521, checkECDSA(key, p521Multiples)
		}
		return "", unknownKindError("ECDSA over " + key.Curve.Params().Name + "; want P-256, P-384 or P-521")
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return "", fmt.Errorf("key: Ed25519 of %d bytes, want %d", len(key), ed25519.PublicKeySize)
		}
		return Ed25519, checkEd25519(key)
	case *rsa.PublicKey:
		if key == nil || key.N == nil {
			return "", errors.New("key: an RSA key without a modulus")
		}
		return Algorithm(fmt.Sprintf("rsa-%d", key.N.BitLen())), checkRSA(key)
	}
	return "", unknownKindError("neither ECDSA, Ed25519 nor RSA")
}

// digest is what of a message is signed; Ed25519 hashes by itself.
func (a Algorithm) digest(message []byte) []byte {
	switch a {
	case Ed25519:
		return message
	case ECDSAP384:
		sum := sha512.Sum384(message)
		return sum[:]
	case ECDSAP521:
		sum := sha512.Sum512(message)
		return sum[:]
	}
	sum := sha256.Sum256(message)
	return sum[:]
}

// Hash is the hash that goes with the algorithm: zero for Ed25519, which hashes by itself.
func (a Algorithm) Hash() crypto.Hash {
	switch a {
	case Ed25519:
		return crypto.Hash(0)
	case ECDSAP384:
		return crypto.SHA384
	case ECDSAP521:
		return crypto.SHA512
	}
	return crypto.SHA256
}

func (a Algorithm) generate() (crypto.Signer, error) {
	switch a {
	case ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ECDSAP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case ECDSAP521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	}
	return nil, fmt.Errorf("unknown algorithm %q", a)
}
