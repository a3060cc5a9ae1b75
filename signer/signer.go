package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
)

// Signer signs messages with a private key.
type Signer interface {
	// Sign signs message, hashing it as the key's algorithm says.
	Sign(ctx context.Context, message []byte) ([]byte, error)
	// PublicKey is the key that verifies what Sign makes.
	PublicKey() *PublicKey
}

// Certified is a Signer whose key a certificate vouches for, for some minutes.
type Certified interface {
	Signer
	// Certificate is in DER.
	Certificate() []byte
}

// Password gives the password of an encrypted key. It is called once at most, and only
// for a key that is encrypted. A nil Password refuses encrypted keys.
type Password func() ([]byte, error)

// ErrPassword says that a key is encrypted and that no password, or a wrong one, was given.
var ErrPassword = errors.New("wrong or missing password")

// UnknownSchemeError says that a reference names a kind of key that this package does not know.
type UnknownSchemeError struct{ Scheme string }

func (e *UnknownSchemeError) Error() string {
	return fmt.Sprintf("key: no support for %s keys here; want a file or env://NAME", e.Scheme)
}

// Load reads the private key that ref names: env://NAME is the content of an
// environment variable, anything without a scheme is a file. Keys in a KMS are loaded by
// package kms, below this one.
func Load(ctx context.Context, ref string, password Password) (Signer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := readKey(ref)
	if err != nil {
		return nil, err
	}
	return Parse(data, password)
}

// LoadPublicKey reads the public key that ref names: a file, or env://NAME. An error about the key begins with ref.
func LoadPublicKey(ref string) (*PublicKey, error) {
	data, err := readKey(ref)
	if err != nil {
		return nil, err
	}
	key, err := ParsePublicKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	return key, nil
}

// readKey reads the text of a key.
func readKey(ref string) ([]byte, error) {
	scheme, rest, ok := strings.Cut(ref, "://")
	switch {
	case !ok:
		return boundedfile.Read(ref, limits.Key)
	case scheme != "env":
		return nil, &UnknownSchemeError{scheme}
	}
	value, isSet := os.LookupEnv(rest)
	switch {
	case !isSet:
		return nil, fmt.Errorf("key: environment variable %s is not set", rest)
	case value == "":
		return nil, fmt.Errorf("key: environment variable %s is empty", rest)
	}
	return []byte(value), nil
}

// Parse reads a private key from PEM: PKCS #8 plain, encrypted as Sigstore and cosign do or
// with PBES2, SEC 1 or PKCS #1. Text around the key is passed over, and so are EC parameters
// and certificates. A key that would take long to decrypt (package limits) is an error before
// the password is asked for. What is something else is a *FormatError.
func Parse(data []byte, password Password) (Signer, error) {
	if len(data) > limits.Key {
		return nil, fmt.Errorf("private key: %d bytes, want at most %d", len(data), limits.Key)
	}
	block, err := readBlock(wantPrivate, data)
	if err != nil {
		return nil, err
	}
	private, err := readPrivate(block, password)
	if format := (*FormatError)(nil); err != nil && !errors.As(err, &format) { // which says what it is about
		err = fmt.Errorf("private key: %w", err)
	}
	if err != nil {
		return nil, err
	}
	key, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("private key: %T cannot sign", private)
	}
	return New(key)
}

// New signs with a key that is at hand, of one of the algorithms of this package.
func New(key crypto.Signer) (Signer, error) {
	if key == nil {
		return nil, errors.New("private key: it is nil")
	}
	var public *PublicKey
	err := guard(func() (err error) {
		if err := checkPrivate(key); err != nil {
			return fmt.Errorf("private key: %w", err)
		}
		public, err = NewPublicKey(key.Public())
		return err
	})
	if err != nil {
		return nil, err
	}
	return &keySigner{key, public}, nil
}

// checkPrivate finds keys that were put together by hand, and with which Sign could only fail.
func checkPrivate(key crypto.Signer) error {
	switch key := key.(type) {
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return fmt.Errorf("Ed25519 of %d bytes, want %d; ed25519.NewKeyFromSeed makes one of a seed", len(key), ed25519.PrivateKeySize)
		}
		if !ed25519.NewKeyFromSeed(key.Seed()).Equal(key) {
			return errors.New("Ed25519: the public half is not that of the private one")
		}
	case *ecdsa.PrivateKey:
		scalar, err := key.Bytes()
		if err != nil {
			return err
		}
		derived, err := ecdsa.ParseRawPrivateKey(key.Curve, scalar)
		if err == nil && !derived.PublicKey.Equal(&key.PublicKey) {
			err = errors.New("ECDSA: the public half is not that of the private one")
		}
		return err
	case *rsa.PrivateKey:
		if _, err := algorithmOf(&key.PublicKey); err != nil {
			return nil // for its size, on which the time for the rest depends: its public key is refused for that
		}
		return key.Validate()
	}
	return nil
}

// guard makes an error of a panic: the standard library's methods of a key that is nil, or half filled in, panic.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the key is nil, or only half filled in")
		}
	}()
	return f()
}

type keySigner struct {
	key    crypto.Signer
	public *PublicKey
}

var _ Signer = (*keySigner)(nil)

func (s *keySigner) PublicKey() *PublicKey { return s.public }

func (s *keySigner) Sign(ctx context.Context, message []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := s.public.algorithm
	return s.key.Sign(rand.Reader, a.digest(message), a.Hash())
}

// KeyPair is a new key in PEM: Private is PKCS #8, encrypted if there was a password,
// Public is SubjectPublicKeyInfo.
type KeyPair struct {
	Private, Public []byte
	Key             *PublicKey
}

// Create writes the pair into two new files, the private key readable by its owner alone. A file that is there is not replaced, which
// is fs.ErrExist, and a private key without its public one is not left.
func (p *KeyPair) Create(private, public string) error {
	if p == nil || len(p.Private) == 0 || len(p.Public) == 0 {
		return errors.New("no key pair: it is nil or a zero value")
	}
	if err := atomicfile.Create(private, p.Private, 0o600); err != nil {
		return err
	}
	if err := atomicfile.Create(public, p.Public, 0o644); err != nil {
		return errors.Join(err, os.Remove(private)) // just made
	}
	return nil
}

// Generate makes a key. A nil password leaves it unencrypted; an empty one is refused.
// The encryption is Sigstore's (scrypt and NaCl secretbox), so that cosign reads the key.
func Generate(a Algorithm, password []byte) (*KeyPair, error) {
	if password != nil && len(password) == 0 {
		return nil, fmt.Errorf("%w: the password is empty, which protects nothing", ErrPassword)
	}
	if len(password) > limits.Password {
		return nil, fmt.Errorf("a password of %d bytes, want at most %d", len(password), limits.Password)
	}
	key, err := a.generate()
	if err != nil {
		return nil, err
	}
	public, err := NewPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	publicPEM, err := public.PEM()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	blockType := pkcs8Type
	if password != nil {
		if der, err = encrypted.Encrypt(der, password); err != nil {
			return nil, fmt.Errorf("encrypt key: %w", err)
		}
		blockType = sigstoreType
	}
	return &KeyPair{pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}), publicPEM, public}, nil
}
