package signer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "embed"
	"encoding/binary"
	"fmt"

	"filippo.io/edwards25519"
)

// tried is up to which number private keys are guessed. Those of tests and of broken generators are 1, or little more.
const tried = 512

// multiplesFile has four bytes for each of the points 1*G to 512*G of P-256, P-384, P-521 and Ed25519: the last of the coordinate x,
// and the first of an Ed25519 key. A point and its negative have the same. TestMultiples makes it.
//
//go:embed multiples.bin
var multiplesFile string

// multiples are those of one curve.
type multiples string

var (
	p256Multiples    = multiples(multiplesFile[:4*tried])
	p384Multiples    = multiples(multiplesFile[4*tried : 8*tried])
	p521Multiples    = multiples(multiplesFile[8*tried : 12*tried])
	ed25519Multiples = multiples(multiplesFile[12*tried:])
)

// find gives the number whose multiple has these four bytes, if it is the one; else 0.
func (m multiples) find(four []byte, is func(n uint16) bool) uint16 {
	for n := uint16(1); n <= tried; n++ {
		if at := 4 * int(n-1); m[at:at+4] == multiples(four) && is(n) {
			return n
		}
	}
	return 0
}

func guessed(algorithm string, n uint16) error {
	return &WeakKeyError{fmt.Sprintf("%s with the private key %d, or minus that, which anyone can guess", algorithm, n)}
}

// checkECDSA leaves it to crypto/x509 to refuse what is not a point of the curve.
func checkECDSA(key *ecdsa.PublicKey, table multiples) error {
	point, err := key.Bytes() // 4, x, y
	if err != nil {
		return nil
	}
	x := point[1 : 1+len(point)/2]
	n := table.find(x[len(x)-4:], func(n uint16) bool {
		private := binary.BigEndian.AppendUint16(make([]byte, len(x)-2), n)
		multiple, err := ecdsa.ParseRawPrivateKey(key.Curve, private)
		if err != nil {
			return false
		}
		p, err := multiple.PublicKey.Bytes()
		return err == nil && bytes.Equal(p[1:1+len(x)], x)
	})
	if n != 0 {
		return guessed("ECDSA", n)
	}
	return nil
}

func isMultiple25519(key ed25519.PublicKey, n uint16) bool {
	p := new(edwards25519.Point).ScalarBaseMult(scalar(n)).Bytes()
	return bytes.Equal(p[:31], key[:31]) && p[31]&0x7f == key[31]&0x7f // without the sign of x
}

func scalar(n uint16) *edwards25519.Scalar {
	s, _ := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{byte(n), byte(n >> 8)}, make([]byte, 30)...)) // 32 bytes, below the order
	return s
}
