package signer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// TestWork: checks in vain are counted once, those that succeed are not, and past the bound every answer is no.
func TestWork(t *testing.T) {
	message := []byte("message")
	keys := map[Algorithm]*PublicKey{}
	signatures := map[Algorithm][]byte{}
	for _, a := range []Algorithm{ECDSAP256, ECDSAP384, ECDSAP521, Ed25519, RSA2048} {
		s, err := Generate(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		private, err := Parse(s.Private, nil)
		if err != nil {
			t.Fatal(err)
		}
		if signatures[a], err = private.Sign(t.Context(), message); err != nil {
			t.Fatal(err)
		}
		keys[a] = s.Key
	}
	for a, k := range keys {
		w := NewWork(1000)
		for range 3 {
			if err := w.Over([]byte("message")).Verify(k, signatures[a]); err != nil || w.Done() != 0 {
				t.Errorf("%s: %v after %d checks, want yes and 0", a, err, w.Done())
			}
			if err := (*Work)(nil).Over(message).Verify(k, signatures[a]); err != nil {
				t.Errorf("%s, unbounded: %v", a, err)
			}
		}
		for range 3 {
			if w.Over([]byte("other")).Verify(k, signatures[a]) == nil || w.Done() != k.cost() {
				t.Errorf("%s: %d checks of another message, want no after %d", a, w.Done(), k.cost())
			}
		}
		for b, other := range keys {
			w := NewWork(1000)
			w.Over(message).Verify(other, signatures[a])
			want := 0
			if a == b || a == Ed25519 && b == Ed25519 || a == ECDSAP256 && (b == ECDSAP384 || b == ECDSAP521) || a == ECDSAP384 && b == ECDSAP521 {
				want = other.cost()
			}
			if a == b {
				want = 0
			}
			if a == Ed25519 && (b == ECDSAP256 || b == ECDSAP384 || b == ECDSAP521) {
				want = other.cost() // short for ECDSA, and not impossible
			}
			if w.Done() != want {
				t.Errorf("%s under a key of %s: %d checks, want %d", a, b, w.Done(), want)
			}
		}
		w = NewWork(k.cost() - 1)
		for range 2 {
			if w.Over(message).Verify(k, signatures[a]) == nil || !w.Exhausted() {
				t.Errorf("%s: yes past the bound", a)
			}
		}
	}
	w := NewWork(1000)
	w.Over(make([]byte, 3*hashedAsCheck)).Verify(keys[ECDSAP256], signatures[ECDSAP256])
	if want := 3 + 3 + 1; w.Done() != want {
		t.Errorf("a long message: %d checks, want %d", w.Done(), want)
	}
}

// TestWorkOfPSS: what looks like RSA-PSS is counted like what looks like other schemes.
func TestWorkOfPSS(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digestWith(crypto.SHA256, []byte("another")), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWork(1000)
	if scheme := w.Over([]byte("message")).Of(public, signature); scheme != "" || w.Done() != maxTried {
		t.Errorf("%q after %d checks, want none after %d", scheme, w.Done(), maxTried)
	}
}

// TestWorkOfLongSignatures: a signature of a length that a key does not make is not even hashed.
func TestWorkOfLongSignatures(t *testing.T) {
	s, err := Generate(ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWork(10)
	long := make([]byte, 1<<20)
	if scheme := w.Over([]byte("message")).Of(s.Key, long); scheme != "" || len(w.answers) != 0 || w.Done() != 0 {
		t.Errorf("%q, %d answers, %d checks", scheme, len(w.answers), w.Done())
	}
}
