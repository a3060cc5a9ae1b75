package certfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

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
	if _, err := Pool(slices.Concat([]byte("text\n"), good, []byte("more\n"), good)); err != nil {
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
		if _, err := Pool([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
