package signer_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"filippo.io/edwards25519"

	"github.com/runattest/runattest/signer"
)

var update = flag.Bool("update", false, "write multiples.bin and primes.bin")

// holds compares a table with what it is made from.
func holds(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what go test -update makes (%v)", name, err)
	}
}

func multipleEC(t *testing.T, curve elliptic.Curve, n *big.Int) *ecdsa.PublicKey {
	t.Helper()
	private, err := ecdsa.ParseRawPrivateKey(curve, n.FillBytes(make([]byte, (curve.Params().BitSize+7)/8)))
	if err != nil {
		t.Fatal(err)
	}
	return &private.PublicKey
}

func scalar25519(t *testing.T, n uint16) *edwards25519.Scalar {
	t.Helper()
	s, err := edwards25519.NewScalar().SetCanonicalBytes(append(binary.LittleEndian.AppendUint16(nil, n), make([]byte, 30)...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var curves = []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}

func TestMultiples(t *testing.T) {
	var want []byte
	for _, curve := range curves {
		for n := range int64(512) {
			point, err := multipleEC(t, curve, big.NewInt(n+1)).Bytes()
			if err != nil {
				t.Fatal(err)
			}
			x := point[1 : 1+len(point)/2]
			want = append(want, x[len(x)-4:]...)
		}
	}
	for n := range uint16(512) {
		want = append(want, new(edwards25519.Point).ScalarBaseMult(scalar25519(t, n+1)).Bytes()[:4]...)
	}
	holds(t, "multiples.bin", want)
}

func TestPrimes(t *testing.T) {
	product := big.NewInt(1)
	for n := int64(2); n < 1<<16; n++ {
		if p := big.NewInt(n); p.ProbablyPrime(0) { // exact below 2^64
			product.Mul(product, p)
		}
	}
	holds(t, "primes.bin", product.Bytes())
}

// weak wants a key refused in every form, for the reason.
func weak(t *testing.T, name string, key any, reason string) {
	t.Helper()
	for how, read := range map[string]func() (*signer.PublicKey, error){
		"value":       func() (*signer.PublicKey, error) { return signer.NewPublicKey(key) },
		"certificate": func() (*signer.PublicKey, error) { return signer.NewCertifiedKey(key) },
		"PEM":         func() (*signer.PublicKey, error) { return signer.ParsePublicKey(publicPEM(t, key)) },
	} {
		_, err := read()
		if e := (*signer.WeakKeyError)(nil); !errors.As(err, &e) || !strings.Contains(e.Reason, reason) {
			t.Errorf("%s, as %s: %v; want %q", name, how, err, reason)
		}
	}
}

func TestGuessedKeys(t *testing.T) {
	for _, curve := range curves {
		name, order := curve.Params().Name, curve.Params().N
		for _, n := range []int64{1, 2, 3, 255, 256, 257, 512} {
			reason := fmt.Sprintf("private key %d,", n)
			weak(t, fmt.Sprint(name, " ", n), multipleEC(t, curve, big.NewInt(n)), reason)
			weak(t, fmt.Sprint(name, " -", n), multipleEC(t, curve, new(big.Int).Sub(order, big.NewInt(n))), reason)
		}
		if _, err := signer.NewPublicKey(multipleEC(t, curve, big.NewInt(513))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		private, err := ecdsa.ParseRawPrivateKey(curve, big.NewInt(1).FillBytes(make([]byte, (curve.Params().BitSize+7)/8)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.New(private); err == nil {
			t.Errorf("%s signs with 1", name)
		}
	}
	for _, n := range []uint16{1, 2, 255, 256, 512} {
		p := new(edwards25519.Point).ScalarBaseMult(scalar25519(t, n))
		for sign, p := range map[string]*edwards25519.Point{"": p, "-": new(edwards25519.Point).Negate(p)} {
			weak(t, fmt.Sprint("Ed25519 ", sign, n), ed25519.PublicKey(p.Bytes()), fmt.Sprintf("private key %d,", n))
		}
	}
	if _, err := signer.NewPublicKey(ed25519.PublicKey(new(edwards25519.Point).ScalarBaseMult(scalar25519(t, 513)).Bytes())); err != nil {
		t.Error(err)
	}
}

// primeFrom is the first prime from n on.
func primeFrom(n *big.Int) *big.Int {
	p := new(big.Int).Set(n)
	for p.SetBit(p, 0, 1); !p.ProbablyPrime(1); p.Add(p, big.NewInt(2)) {
	}
	return p
}

func randomPrime(t *testing.T, bits int) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFactoredModuli(t *testing.T) {
	p, product := randomPrime(t, 1024), randomPrime(t, 1024)
	product.Mul(product, p)
	for name, gap := range map[string]*big.Int{
		"neighbours": big.NewInt(2), "close": new(big.Int).Lsh(big.NewInt(1), 500), "some rounds": new(big.Int).Lsh(big.NewInt(1), 515),
	} {
		q := primeFrom(new(big.Int).Add(p, gap))
		weak(t, name, &rsa.PublicKey{N: q.Mul(q, p), E: 65537}, "Fermat")
	}
	for _, factor := range []int64{3, 751, 757, 65521} {
		n := new(big.Int).Mul(product, big.NewInt(factor))
		weak(t, fmt.Sprint("the factor ", factor), &rsa.PublicKey{N: n, E: 65537}, "small prime")
	}
}

// TestROCA makes keys as the library did: primes k*M + 65537^a mod M, where M is the product of the first 126 primes.
func TestROCA(t *testing.T) {
	m := big.NewInt(1)
	for n := int64(2); n <= 701; n++ {
		if p := big.NewInt(n); p.ProbablyPrime(0) {
			m.Mul(m, p)
		}
	}
	prime := func(k, a int64) *big.Int {
		p := new(big.Int).Exp(big.NewInt(65537), big.NewInt(a), m)
		for p.Add(p, new(big.Int).Mul(m, big.NewInt(k))); !p.ProbablyPrime(1); p.Add(p, m) {
		}
		return p
	}
	p, q := prime(1<<53, 123456789), prime(1<<53+1<<50, 987654321)
	n := new(big.Int).Mul(p, q)
	if n.BitLen() < 2048 {
		t.Fatalf("%d bits", n.BitLen())
	}
	weak(t, "ROCA", &rsa.PublicKey{N: n, E: 65537}, "ROCA")
}

// TestCheckKey: what is wrong with a key of a known kind is an error, and a kind that is not known says nothing.
func TestCheckKey(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key        crypto.PublicKey
		isOK, weak bool
	}{
		"good":          {good, true, false},
		"another curve": {p224.Public(), true, false},
		"another kind":  {&struct{}{}, true, false},
		"small order":   {ed25519.PublicKey(append([]byte{1}, make([]byte, 31)...)), false, true},
		"not a point":   {ed25519.PublicKey(append([]byte{2}, make([]byte, 31)...)), false, false},
		"large RSA":     {&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1<<14), E: 65537}, false, false},
		"exponent 3":    {&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 3}, false, true},
		"nil":           {nil, false, false},
	} {
		err := signer.CheckKey(c.key)
		if (err == nil) != c.isOK || errors.As(err, new(*signer.WeakKeyError)) != c.weak {
			t.Errorf("%s: %v", name, err)
		}
	}
}
