package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"
)

// TestOtherScheme: a signature by the right key in another scheme does not verify, and its scheme is
// found; one over another message, or by another key, has none.
func TestOtherScheme(t *testing.T) {
	message := []byte("message")
	type made struct {
		name, scheme string
		key          *PublicKey
		signature    []byte
	}
	var all []made
	add := func(name, scheme string, public crypto.PublicKey, signature []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		key, err := NewPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, made{name, scheme, key, signature})
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		curveName, size := curve.Params().Name, (curve.Params().BitSize+7)/8
		own := map[string]crypto.Hash{"P-256": crypto.SHA256, "P-384": crypto.SHA384, "P-521": crypto.SHA512}[curveName]
		for _, h := range schemeHashes {
			scheme := "ECDSA " + curveName + " with " + h.String()
			if h != own {
				signature, err := ecdsa.SignASN1(rand.Reader, key, digestWith(h, message))
				add(scheme, scheme+" in ASN.1 DER", key.Public(), signature, err)
			}
			r, s, err := ecdsa.Sign(rand.Reader, key, digestWith(h, message))
			if err != nil {
				t.Fatal(err)
			}
			raw := append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
			add(scheme+" raw", scheme+", r and s side by side (IEEE P1363)", key.Public(), raw, nil)
		}
		signature, err := ecdsa.SignASN1(rand.Reader, key, digestWith(own, message))
		add(curveName, "", key.Public(), signature, err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range schemeHashes {
		for _, salt := range []int{rsa.PSSSaltLengthEqualsHash, rsa.PSSSaltLengthAuto} {
			signature, err := rsa.SignPSS(rand.Reader, key, h, digestWith(h, message), &rsa.PSSOptions{SaltLength: salt})
			add("PSS "+h.String(), "RSA-PSS with "+h.String(), key.Public(), signature, err)
		}
		if h != crypto.SHA1 {
			add("PSS, MGF1 with SHA-1", "RSA-PSS with "+h.String()+" (MGF1 with SHA-1)", key.Public(), signPSS(t, key, h, crypto.SHA1, digestWith(h, message)), nil)
		}
		scheme := "RSA PKCS #1 v1.5 with " + h.String()
		if h == crypto.SHA256 {
			scheme = ""
		}
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, h, digestWith(h, message))
		add("PKCS "+h.String(), scheme, key.Public(), signature, err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ph, err := private.Sign(rand.Reader, digestWith(crypto.SHA512, message), &ed25519.Options{Hash: crypto.SHA512})
	add("Ed25519ph", "Ed25519ph", public, ph, err)
	for _, h := range schemeHashes {
		add("Ed25519 over "+h.String(), "Ed25519 over "+h.String(), public, ed25519.Sign(private, digestWith(h, message)), nil)
	}
	add("Ed25519", "", public, ed25519.Sign(private, message), nil)

	keys, tried := map[string]*PublicKey{}, map[string]bool{}
	for _, m := range all {
		keys[m.key.Hint()] = m.key
	}
	for _, m := range all {
		k := m.key
		if ok := k.Verify(message, m.signature) == nil; ok != (m.scheme == "") {
			t.Errorf("%s: verified is %v", m.name, ok)
		}
		if got := k.OtherScheme(message, m.signature); got != m.scheme {
			t.Errorf("%s: scheme is %q, want %q", m.name, got, m.scheme)
		}
		if m.scheme == k.Scheme() {
			t.Errorf("%s: is another scheme and its own", m.name)
		}
		if form := k.Hint() + fmt.Sprint(len(m.signature), m.scheme == ""); !tried[form] { // of one form, one is enough
			tried[form] = true
			if got := k.OtherScheme([]byte("another"), m.signature); got != "" {
				t.Errorf("%s: scheme over another message is %q", m.name, got)
			}
			for hint, o := range keys {
				if hint != k.Hint() && o.OtherScheme(message, m.signature) != "" {
					t.Errorf("%s: has a scheme under the key %s", m.name, o.Scheme())
				}
			}
		}
		for n := range m.signature {
			if got := k.OtherScheme(message, m.signature[:n]); got != "" {
				t.Errorf("%s cut to %d bytes: scheme is %q", m.name, n, got)
			}
		}
	}
}

// signPSS signs with another digest in the mask than over the message, as the standard library does not.
func signPSS(t *testing.T, key *rsa.PrivateKey, h, mask crypto.Hash, digest []byte) []byte {
	t.Helper()
	bits, salt := key.N.BitLen()-1, make([]byte, 20)
	block := make([]byte, (bits+7)/8)
	split := len(block) - h.Size() - 1
	w := h.New()
	w.Write(make([]byte, 8))
	w.Write(digest)
	w.Write(salt)
	sum := w.Sum(nil)
	block[split-len(salt)-1] = 1
	for i, b := range mgf1(mask, sum, split) {
		block[i] ^= b
	}
	block[0] &= 0xff >> (8*len(block) - bits)
	copy(block[split:], sum)
	block[len(block)-1] = 0xbc
	n := new(big.Int).SetBytes(block)
	return n.Exp(n, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

func digestWith(h crypto.Hash, message []byte) []byte {
	w := h.New()
	w.Write(message)
	return w.Sum(nil)
}

// TestSchemesCost: what a stranger signed costs a bounded number of operations of each key, and one hash of each kind in all.
func TestSchemesCost(t *testing.T) {
	message := []byte("message")
	var keys []*PublicKey
	signatures := map[string][]byte{"empty": nil, "of no form": []byte("signature")}
	for _, a := range []Algorithm{ECDSAP256, ECDSAP384, ECDSAP521, Ed25519, RSA2048} {
		stranger, err := Generate(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, stranger.Key)
		for i := range 2 { // of the length that each kind of key wants: side by side, or one number
			s := make([]byte, map[Algorithm]int{ECDSAP256: 64, ECDSAP384: 96, ECDSAP521: 132, Ed25519: 64, RSA2048: 256}[a])
			s[len(s)-1], s[len(s)/2-1] = byte(1+i), byte(1+i)
			signatures[fmt.Sprintf("%s %d", a, i)] = s
		}
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(1), big.NewInt(2)})
	if err != nil {
		t.Fatal(err)
	}
	signatures["DER"] = der
	most := 0
	for name, signature := range signatures {
		s := NewSchemes(message)
		for _, k := range keys {
			before := s.tried
			if scheme := s.Of(k, signature); scheme != "" {
				t.Errorf("%s, %s: %s", name, k.Algorithm(), scheme)
			}
			if n := s.tried - before; n > maxTried {
				t.Errorf("%s, %s: %d operations, want at most %d", name, k.Algorithm(), n, maxTried)
			} else {
				most = max(most, n)
			}
		}
		if len(s.digests) > len(schemeHashes) {
			t.Errorf("%s: %d hashes", name, len(s.digests))
		}
	}
	if most != maxTried {
		t.Errorf("at most %d operations of a key, want %d to be reached", most, maxTried)
	}
}
