package signer

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"filippo.io/edwards25519"

	"github.com/runattest/runattest/internal/limits"
)

// WeakKeyError says that a public key is well-formed and not fit for use: others than the holder of its private key can
// sign under it, or verifiers disagree on what it signed.
type WeakKeyError struct{ Reason string }

func (e *WeakKeyError) Error() string { return "key: " + e.Reason }

// CheckKey says why a public key, such as that of a certificate, is not fit for use: a *WeakKeyError if it is well-formed; nil of one
// that is fit. Of a kind or curve that keys here do not have, it knows nothing, and says nil.
func CheckKey(key crypto.PublicKey) error {
	if key == nil {
		return errors.New("key: it is nil")
	}
	_, err := algorithmOf(key)
	if err == nil {
		err = checkModulus(key)
	}
	if errors.As(err, new(unknownKindError)) {
		return nil
	}
	return err
}

// unknownKindError says that a key is of a kind or a curve that keys here do not have.
type unknownKindError string

func (e unknownKindError) Error() string { return "key: " + string(e) }

// A public key can be well-formed and still let a stranger sign: everything that parses a key comes
// through algorithmOf, which asks the functions below.

// checkEd25519 wants the encoding that RFC 8032 gives a point of the prime-order group, which is what every private key
// has. A signature by a point of small order is made without a private key; a point outside the group, or a second
// encoding of one inside it, is a key on which verifiers disagree.
func checkEd25519(key ed25519.PublicKey) error {
	p, err := new(edwards25519.Point).SetBytes(key)
	if err != nil {
		return errors.New("key: Ed25519: not a point of the curve")
	}
	identity := edwards25519.NewIdentityPoint()
	if new(edwards25519.Point).MultByCofactor(p).Equal(identity) == 1 {
		return &WeakKeyError{"Ed25519: a point of small order, under which signatures verify that need no private key"}
	}
	if !bytes.Equal(p.Bytes(), key) {
		return &WeakKeyError{"Ed25519: not the canonical encoding of its point (RFC 8032, section 5.1.2)"}
	}
	if n := ed25519Multiples.find(key[:4], func(n uint16) bool { return isMultiple25519(key, n) }); n != 0 {
		return guessed("Ed25519", n)
	}
	zero := edwards25519.NewScalar()
	last := edwards25519.NewScalar().Subtract(zero, scalar(1)) // the group's order - 1
	if p.Add(p, new(edwards25519.Point).VarTimeDoubleScalarBaseMult(last, p, zero)).Equal(identity) != 1 {
		return &WeakKeyError{"Ed25519: a point outside the prime-order group, which belongs to no private key"}
	}
	return nil
}

// RSA keys below the first have fallen, and above the second cost a verifier too much.
const minRSA, maxRSA = 2048, limits.RSABits

// minExponent is the smallest public exponent of FIPS 186-5, appendix A.1.1: odd and above 2^16. With 1 a signature is
// the padded message itself.
const minExponent = 1<<16 + 1

// checkRSA does what costs next to nothing of NIST SP 800-89, section 5.3.3, and of what certificate authorities have to test (CA/Browser
// Forum Baseline Requirements, section 6.1.1.3); checkModulus does the rest.
func checkRSA(key *rsa.PublicKey) error {
	switch bits := key.N.BitLen(); {
	case key.N.Sign() <= 0:
		return errors.New("key: RSA with a negative modulus")
	case bits > maxRSA:
		return fmt.Errorf("key: RSA of %d bits, want %d to %d", bits, minRSA, maxRSA)
	case bits < minRSA:
		return &WeakKeyError{fmt.Sprintf("RSA of %d bits, want %d to %d", bits, minRSA, maxRSA)}
	case key.E < minExponent || key.E%2 == 0:
		return &WeakKeyError{fmt.Sprintf("RSA with the public exponent %d, want an odd one of at least %d", key.E, minExponent)}
	case new(big.Int).GCD(nil, nil, key.N, new(big.Int).Mod(smallPrimes(), key.N)).Cmp(big.NewInt(1)) != 0:
		return &WeakKeyError{"RSA with a modulus that a small prime divides"}
	case closeFactors(key.N):
		return &WeakKeyError{"RSA with a modulus of two primes that are so close that Fermat's method finds them"}
	case isROCA(key.N):
		return &WeakKeyError{"RSA with a modulus as the library of CVE-2017-15361 (ROCA) made them, whose primes can be computed"}
	}
	return nil
}

// checkModulus refuses an RSA modulus that is a prime or the power of one, whose private key is computed from the public one: each p
// with p^k = n divides 2^n - 2. Of a product of different primes that is as unlikely as guessing one of them. It takes as long as
// making a signature, 1 ms for 2048 bits and 10 for 4096.
func checkModulus(key crypto.PublicKey) error {
	pair, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil
	}
	two := big.NewInt(2)
	power := new(big.Int).Exp(two, pair.N, pair.N)
	if new(big.Int).GCD(nil, nil, power.Sub(power, two).Mod(power, pair.N), pair.N).Cmp(big.NewInt(1)) != 0 {
		return &WeakKeyError{"RSA with a modulus that is a prime or the power of one"}
	}
	return nil
}
