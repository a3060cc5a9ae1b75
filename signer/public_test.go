package signer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

// TestRSAWithoutParameters: a key whose algorithm lacks its NULL parameters is named, with what writes them.
func TestRSAWithoutParameters(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := x509.MarshalPKCS1PublicKey(&key.PublicKey)
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}},
		asn1.BitString{Bytes: public, BitLength: 8 * len(public)},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParsePublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	format, ok := errors.AsType[*FormatError](err)
	if !ok || !strings.Contains(err.Error(), "NULL parameters") || !strings.Contains(format.Convert("k.pub"), "openssl pkey -pubin -in k.pub -pubout") {
		t.Errorf("%v", err)
	}
}
