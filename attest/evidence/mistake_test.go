package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha3"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

// key is a private key with its public one.
type key struct {
	crypto.Signer
	public *signer.PublicKey
}

func newKey(t *testing.T, private crypto.Signer, err error) key {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	public, err := signer.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key{private, public}
}

func (k key) sign(t *testing.T, message []byte, h crypto.Hash, options crypto.SignerOpts) []byte {
	t.Helper()
	if h != 0 {
		w := h.New()
		w.Write(message)
		message = w.Sum(nil)
	}
	signature, err := k.Sign(rand.Reader, message, options)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// keys are one of each kind.
func keys(t *testing.T) map[string]key {
	t.Helper()
	all := map[string]key{}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		all[name] = newKey(t, private, err)
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	all["RSA"] = newKey(t, private, err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	all["Ed25519"] = newKey(t, edwards, err)
	return all
}

// TestFindMistake: what was signed in place of Message is found in the key's own scheme, and in any other, where that is asked.
func TestFindMistake(t *testing.T) {
	pss := func(h crypto.Hash) crypto.SignerOpts {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
	}
	e := Envelope{PayloadType: "application/x", Payload: []byte("a payload")}
	all := keys(t)
	other := all["Ed25519"].public
	for _, c := range []struct {
		key, scheme string // "" is the key's own
		hash        crypto.Hash
		options     crypto.SignerOpts
	}{
		{"P-256", "", crypto.SHA256, crypto.SHA256},
		{"P-256", "ECDSA P-256 with SHA-1 in ASN.1 DER", crypto.SHA1, crypto.SHA1},
		{"P-256", "ECDSA P-256 with SHA-384 in ASN.1 DER", crypto.SHA384, crypto.SHA384},
		{"P-256", "ECDSA P-256 with SHA-512 in ASN.1 DER", crypto.SHA512, crypto.SHA512},
		{"P-256", "ECDSA P-256 with SHA3-256 in ASN.1 DER", crypto.SHA3_256, crypto.SHA3_256},
		{"P-384", "", crypto.SHA384, crypto.SHA384},
		{"P-384", "ECDSA P-384 with SHA-256 in ASN.1 DER", crypto.SHA256, crypto.SHA256},
		{"P-521", "ECDSA P-521 with SHA-256 in ASN.1 DER", crypto.SHA256, crypto.SHA256},
		{"RSA", "", crypto.SHA256, crypto.SHA256},
		{"RSA", "RSA PKCS #1 v1.5 with SHA-1", crypto.SHA1, crypto.SHA1},
		{"RSA", "RSA PKCS #1 v1.5 with SHA-512", crypto.SHA512, crypto.SHA512},
		{"RSA", "RSA-PSS with SHA-256", crypto.SHA256, pss(crypto.SHA256)},
		{"RSA", "RSA-PSS with SHA-512", crypto.SHA512, pss(crypto.SHA512)},
		{"Ed25519", "", 0, crypto.Hash(0)},
		{"Ed25519", "Ed25519ph", crypto.SHA512, crypto.SHA512},
		{"Ed25519", "Ed25519 over SHA-384", crypto.SHA384, crypto.Hash(0)},
	} {
		by := all[c.key]
		for over, message := range e.Mistaken() {
			e.Signature = by.sign(t, message, c.hash, c.options)
			for _, e.Work = range []*signer.Work{nil, signer.NewWork(10_000)} {
				m := e.FindMistake([]*signer.PublicKey{other, by.public}, 2)
				if m.Key == nil || m.Key.Hint() != by.public.Hint() || m.Over != over || m.Scheme != c.scheme {
					t.Errorf("%s as %q over %s: %+v", c.key, c.scheme, over, m)
					continue
				}
				if got := m.Check("it"); got.Verdict != Fail || got.Code != CodeSignatureScheme || !strings.Contains(got.Reason, over) ||
					c.scheme != "" && !strings.HasPrefix(got.Reason, "by it, but as "+c.scheme+" and over "+over+"; want "+by.public.Scheme()+" over DSSE's PAE") {
					t.Errorf("%s as %q over %s: %s", c.key, c.scheme, over, got.Reason)
				}
				if m := e.FindMistake([]*signer.PublicKey{other, by.public}, 1); (m.Key != nil) != (c.scheme == "" || c.key == "Ed25519") {
					t.Errorf("%s as %q over %s, where the first key alone is asked: %+v", c.key, c.scheme, over, m)
				}
			}
		}
	}
}

// TestFindMistakeCost: what is signed by a stranger costs a bounded number of checks of each key, which are counted once, and past the
// bound nothing is found.
func TestFindMistakeCost(t *testing.T) {
	const (
		forms  = 7
		most   = 1 + 9 // its own scheme, and the others
		bound  = forms * most
		costly = 24 // of P-521, which takes the most
	)
	e := Envelope{PayloadType: "application/x", Payload: []byte("a payload")}
	all := keys(t)
	names := slices.Sorted(maps.Keys(all))
	for _, stranger := range names {
		for what, signature := range map[string][]byte{
			"another message": all[stranger].sign(t, []byte("another"), hashOf(stranger), hashOf(stranger)),
			"no form":         make([]byte, 64),
		} {
			e.Signature = signature
			for _, asked := range names {
				w := signer.NewWork(bound * costly)
				e.Work = w
				for range 3 {
					if m := e.FindMistake([]*signer.PublicKey{all[asked].public}, 1); m.Key != nil {
						t.Errorf("%s by %s, of %s: %+v", what, stranger, asked, m)
					}
				}
				cost := map[string]int{"P-384": 8, "P-521": costly}[asked]
				if n := w.Done(); w.Exhausted() || n > bound*max(1, cost) {
					t.Errorf("%s by %s, of %s: %d checks, want at most %d", what, stranger, asked, n, bound*max(1, cost))
				}
			}
		}
	}
	by := all["P-384"]
	e.Signature = by.sign(t, e.Payload, crypto.SHA256, crypto.SHA256)
	for n, found := range map[int]bool{(forms + 1) * 8: true, (forms+1)*8 - 1: false} { // each form in the key's own scheme, and one that is left
		e.Work = signer.NewWork(n)
		if m := e.FindMistake([]*signer.PublicKey{by.public}, 1); found != (m.Scheme != "") || found == e.Work.Exhausted() {
			t.Errorf("%+v after %d checks of %d", m, e.Work.Done(), n)
		}
	}
}

func hashOf(name string) crypto.Hash {
	return map[string]crypto.Hash{"P-256": crypto.SHA256, "P-384": crypto.SHA384, "P-521": crypto.SHA512, "RSA": crypto.SHA256}[name]
}
