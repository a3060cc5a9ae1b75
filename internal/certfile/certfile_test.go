package certfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/testing/pkitest"
)

func anyKey(crypto.PublicKey) error { return nil }

// TestKeys: one key that is refused spoils a chain, and another chain may do.
func TestKeys(t *testing.T) {
	ca := pkitest.Root("ca")
	leaf, weak := ca.Issue("leaf"), ca.Issue("weak")
	check := func(key crypto.PublicKey) error {
		if weak.Signer().Public().(*ecdsa.PublicKey).Equal(key) {
			return errors.New("weak")
		}
		return nil
	}
	for text, want := range map[string]bool{string(pkitest.PEM(ca, leaf)): true, string(pkitest.PEM(ca, weak)): false, string(pkitest.PEM(weak, ca)): false} {
		if _, err := Pool([]byte(text), check); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	type chains = [][]*x509.Certificate
	good, bad, worse := []*x509.Certificate{leaf.Certificate, ca.Certificate}, []*x509.Certificate{weak.Certificate, ca.Certificate}, []*x509.Certificate{leaf.Certificate, weak.Certificate}
	for _, c := range []struct {
		chains chains
		want   bool
	}{{nil, true}, {chains{good}, true}, {chains{bad}, false}, {chains{worse}, false}, {chains{bad, good}, true}, {chains{good, bad}, true}, {chains{bad, worse}, false}} {
		if err := KeysOf(check)(tls.ConnectionState{VerifiedChains: c.chains}); (err == nil) != c.want {
			t.Errorf("%d chains: %v, want %v", len(c.chains), err, c.want)
		}
	}
}

// TestPool: a damaged certificate among others is an error, and not left out.
func TestPool(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if _, err := Pool(slices.Concat([]byte("text\n"), good, []byte("more\n"), good), anyKey); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"":   "holds no certificate",
		"ca": "holds no certificate",
		string(good) + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n":       "certificate 2: ",
		string(good) + "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n":         "holds a PUBLIC KEY",
		string(good) + "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n": "keep the key secret",
		string(good) + string(good[:len(good)-40]):                                            "cannot be read",
	} {
		if _, err := Pool([]byte(text), anyKey); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
