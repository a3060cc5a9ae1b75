package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
)

// ErrSignature says that a signature is not by the key over the message.
var ErrSignature = errors.New("the signature does not verify")

// PublicKey is a public key of an algorithm that this package signs with. It is
// immutable and made by ParsePublicKey and NewPublicKey alone.
type PublicKey struct {
	key       crypto.PublicKey
	algorithm Algorithm
	hint      string
	digest    string // base64(SHA-256(SubjectPublicKeyInfo))
}

// ParsePublicKey reads one PEM block of type PUBLIC KEY (SubjectPublicKeyInfo) or
// RSA PUBLIC KEY (PKCS #1). Text around it is passed over, a second key is not. What is
// something else is a *FormatError.
func ParsePublicKey(data []byte) (*PublicKey, error) {
	if len(data) > limits.Key {
		return nil, fmt.Errorf("public key: %d bytes, want at most %d", len(data), limits.Key)
	}
	block, err := readBlock(wantPublic, data)
	if err != nil {
		return nil, err
	}
	if other, ok := otherKind(wantPublic, block.Bytes, "-in FILE"); ok {
		return nil, plainly(data, other).err(wantPublic)
	}
	parse := x509.ParsePKIXPublicKey
	if block.Type == "RSA PUBLIC KEY" {
		parse = func(der []byte) (any, error) { return x509.ParsePKCS1PublicKey(der) }
	}
	key, err := parse(block.Bytes)
	if err != nil && strings.Contains(err.Error(), "missing NULL parameters") { // RFC 3279 section 2.3.1
		return nil, &FormatError{wantPublic, "this RSA key lacks the NULL parameters of its algorithm", writing("openssl pkey -pubin -in FILE -pubout")}
	}
	if err != nil {
		return nil, fmt.Errorf("public key: %w", notParsed(block.Type, err))
	}
	return NewPublicKey(key)
}

// NewPublicKey takes an *ecdsa.PublicKey, an ed25519.PublicKey or an *rsa.PublicKey. A key under which others than its holder can sign
// is a *WeakKeyError.
func NewPublicKey(key crypto.PublicKey) (public *PublicKey, err error) {
	err = guard(func() error {
		if public, err = newPublicKey(key); err == nil {
			err = checkModulus(public.key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return public, nil
}

// NewCertifiedKey is NewPublicKey for the key of a certificate, or of a log entry that is compared with one. It does not ask whether an
// RSA modulus is a prime, which takes longer than verifying a signature: that is for the authority to ask, and a bundle
// can bring many certificates.
func NewCertifiedKey(key crypto.PublicKey) (public *PublicKey, err error) {
	err = guard(func() error { public, err = newPublicKey(key); return err })
	return public, err
}

func newPublicKey(key crypto.PublicKey) (*PublicKey, error) {
	algorithm, err := algorithmOf(key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	if key, err = x509.ParsePKIXPublicKey(der); err != nil { // a copy that the caller cannot change
		return nil, fmt.Errorf("public key: %w", err)
	}
	hint, err := dsse.SHA256KeyID(key)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return &PublicKey{key, algorithm, hint, base64.StdEncoding.EncodeToString(sum[:])}, nil
}

// Verify checks a signature over message. The error is ErrSignature.
func (k *PublicKey) Verify(message, signature []byte) error {
	k = zero.IfNil(k)
	if !k.verify(message, func(crypto.Hash) []byte { return k.algorithm.digest(message) }, signature) {
		return ErrSignature
	}
	return nil
}

// verify is Verify, with the digest of message by the algorithm's hash.
func (k *PublicKey) verify(message []byte, digest func(crypto.Hash) []byte, signature []byte) bool {
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest(k.algorithm.Hash()), signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest(crypto.SHA256), signature) == nil
	}
	return false
}

// isP1363 says whether a signature of that many bytes may be of the key's in the form of IEEE P1363: r and s side by side.
func (k *PublicKey) isP1363(length int) bool {
	key, ok := k.key.(*ecdsa.PublicKey)
	return ok && length == 2*((key.Curve.Params().BitSize+7)/8)
}

// canMake says whether a signature of that many bytes is of a length that the key's have.
func (k *PublicKey) canMake(length int) bool {
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		return length <= 3+2*(3+size) // DER: a sequence of two integers, each with a length and maybe a zero before it
	case ed25519.PublicKey:
		return length == ed25519.SignatureSize
	case *rsa.PublicKey:
		return length == key.Size()
	}
	return false
}

// Hint is the key's name, which tells keys apart: "SHA256:" and the unpadded base64 of SHA-256 of the key in SSH's
// encoding (RFC 4253, section 6.6), as ssh-keygen -l prints it. It is the one keyid with which Go's verifiers of DSSE
// (go-securesystemslib, and with it cosign and sigstore-go) try a key: they skip a signature with any other.
func (k *PublicKey) Hint() string { return zero.IfNil(k).hint }

// IsNamedBy says that a bundle's hint or keyid names the key: by its Hint, or by base64(SHA-256(SubjectPublicKeyInfo)),
// as cosign writes the hint.
func (k *PublicKey) IsNamedBy(hint string) bool {
	k = zero.IfNil(k)
	return hint != "" && (hint == k.hint || hint == k.digest)
}

// Algorithm is the key's algorithm.
func (k *PublicKey) Algorithm() Algorithm { return zero.IfNil(k).algorithm }

// Public is the key as package crypto knows it. It is not to be changed.
func (k *PublicKey) Public() crypto.PublicKey { return zero.IfNil(k).key }

// PEM is the key as a PUBLIC KEY block.
func (k *PublicKey) PEM() ([]byte, error) {
	k = zero.IfNil(k)
	if k.key == nil {
		return nil, errors.New("there is no public key")
	}
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
