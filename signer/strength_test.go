package signer_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"

	"filippo.io/edwards25519"

	"github.com/runattest/runattest/signer"
)

func publicPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// torsion are the points of order 1, 2, 4 and 8: multiples of one of order 8.
func torsion(t *testing.T) []*edwards25519.Point {
	t.Helper()
	y, err := hex.DecodeString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
	if err != nil {
		t.Fatal(err)
	}
	eighth, err := new(edwards25519.Point).SetBytes(y)
	if err != nil {
		t.Fatal(err)
	}
	p, points := edwards25519.NewIdentityPoint(), []*edwards25519.Point(nil)
	for range 8 {
		points = append(points, new(edwards25519.Point).Set(p))
		p.Add(p, eighth)
	}
	if p.Equal(edwards25519.NewIdentityPoint()) != 1 || points[4].Equal(edwards25519.NewIdentityPoint()) == 1 {
		t.Fatal("not of order 8")
	}
	return points
}

// encodings are all 32-byte texts that decode to the point: with y and y+p, and where x is 0 with either sign.
func encodings(p *edwards25519.Point) []string {
	y := slices.Clone(p.Bytes())
	sign := y[31] & 0x80
	y[31] &= 0x7f
	slices.Reverse(y)
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	var all []string
	for _, v := range []*big.Int{new(big.Int).SetBytes(y), new(big.Int).Add(new(big.Int).SetBytes(y), prime)} {
		if v.BitLen() > 255 {
			continue
		}
		for _, s := range []byte{0, 0x80} {
			text := v.FillBytes(make([]byte, 32))
			slices.Reverse(text)
			text[31] |= s
			if q, err := new(edwards25519.Point).SetBytes(text); err == nil && (s == sign || q.Equal(p) == 1) {
				all = append(all, string(text))
			}
		}
	}
	return all
}

// TestWeakEd25519 tries every encoding of every point of small order. The signature with which each is tried verifies in
// crypto/ed25519 without a private key: R is a point of small order too, S is 0.
func TestWeakEd25519(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range torsion(t) {
		for _, text := range encodings(p) {
			seen[text] = true
		}
	}
	if len(seen) != 14 {
		t.Fatalf("%d encodings of points of small order, want 14", len(seen))
	}
	forged := 0
	for text := range seen {
		key := ed25519.PublicKey(text)
		for i := range 64 { // the signature holds for one message in at most eight
			if ed25519.Verify(key, []byte{byte(i)}, append(edwards25519.NewIdentityPoint().Bytes(), make([]byte, 32)...)) {
				forged++
				break
			}
		}
		for name, parse := range map[string]func() (*signer.PublicKey, error){
			"value": func() (*signer.PublicKey, error) { return signer.NewPublicKey(key) },
			"PEM":   func() (*signer.PublicKey, error) { return signer.ParsePublicKey(publicPEM(t, key)) },
		} {
			if _, err := parse(); err == nil || !strings.Contains(err.Error(), "small order") {
				t.Errorf("%x as %s: %v", text, name, err)
			}
		}
	}
	if forged == 0 {
		t.Error("no key of small order accepts a signature: the test tries nothing")
	}
}

// TestOddEd25519 holds that a key is what some private key has, in its one encoding.
func TestOddEd25519(t *testing.T) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.NewPublicKey(public); err != nil {
		t.Error(err)
	}
	good, err := new(edwards25519.Point).SetBytes(public)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range torsion(t)[1:] {
		mixed := ed25519.PublicKey(new(edwards25519.Point).Add(good, p).Bytes())
		if _, err := signer.ParsePublicKey(publicPEM(t, mixed)); err == nil || !strings.Contains(err.Error(), "outside the prime-order group") {
			t.Errorf("with the point %d of small order: %v", i+1, err)
		}
	}
	off := 0
	for i := range byte(50) {
		key := ed25519.PublicKey(append([]byte{i}, bytes.Repeat([]byte{7}, 31)...))
		if _, err := signer.NewPublicKey(key); err != nil && strings.Contains(err.Error(), "not a point") {
			off++
		}
	}
	if off == 0 {
		t.Error("each text is a point")
	}
	for y := range byte(19) { // the y that have two encodings
		key := ed25519.PublicKey(append(append([]byte{0xed + y}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f))
		if _, err := signer.NewPublicKey(key); err == nil {
			t.Errorf("y = p + %d is taken", y)
		}
	}
}

func TestWeakRSA(t *testing.T) {
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.NewPublicKey(&good.PublicKey); err != nil {
		t.Error(err)
	}
	for _, e := range []int{1, 2, 3, 17, 65535, 65536, 65538, 1<<31 - 2} {
		key := &rsa.PublicKey{N: good.N, E: e}
		if _, err := signer.ParsePublicKey(publicPEM(t, key)); err == nil || !strings.Contains(err.Error(), "exponent") {
			t.Errorf("exponent %d: %v", e, err)
		}
		pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key)})
		if _, err := signer.ParsePublicKey(pkcs1); err == nil || !strings.Contains(err.Error(), "exponent") {
			t.Errorf("exponent %d in PKCS #1: %v", e, err)
		}
	}
	for _, factor := range []int64{2, 3, 751} {
		n := new(big.Int).Sub(good.N, new(big.Int).Mod(good.N, big.NewInt(factor)))
		if _, err := signer.NewPublicKey(&rsa.PublicKey{N: n, E: 65537}); err == nil || !strings.Contains(err.Error(), "small prime") {
			t.Errorf("a modulus with the factor %d: %v", factor, err)
		}
	}
	prime, err := rand.Prime(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	factor, cube := good.Primes[0], new(big.Int).Rsh(good.N, 2048/3)
	for cube.SetBit(cube, 0, 1); !cube.ProbablyPrime(8); cube.Add(cube, big.NewInt(2)) {
	}
	for name, n := range map[string]*big.Int{
		"a prime": prime, "a square": new(big.Int).Mul(factor, factor), "a power": new(big.Int).Exp(cube, big.NewInt(3), nil),
	} {
		if _, err := signer.ParsePublicKey(publicPEM(t, &rsa.PublicKey{N: n, E: 65537})); err == nil || !strings.Contains(err.Error(), "power of one") {
			t.Errorf("%s as modulus: %v", name, err)
		}
	}
	if _, err := signer.NewPublicKey(&rsa.PublicKey{N: new(big.Int).Neg(good.N), E: 65537}); err == nil {
		t.Error("a negative modulus is taken")
	}
}

// TestOffCurve holds that encoding/x509 refuses points that are not on their curve.
func TestOffCurve(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		der[len(der)-1] ^= 1
		if _, err := signer.ParsePublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})); err == nil {
			t.Errorf("%s: a point off the curve is taken", curve.Params().Name)
		}
	}
}

func BenchmarkNewPublicKey(b *testing.B) {
	for _, a := range []signer.Algorithm{signer.ECDSAP256, signer.Ed25519, signer.RSA2048} {
		pair, err := signer.Generate(a, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(a), func(b *testing.B) {
			for b.Loop() {
				if _, err := signer.NewPublicKey(pair.Key.Public()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
