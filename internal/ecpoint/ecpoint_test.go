package ecpoint_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/runattest/runattest/internal/ecpoint"
)

// TestForms reads the form out of keys and certificates: what crypto/x509 refuses for its point has one, what it reads has none.
func TestForms(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		odd := point[len(point)-1] & 1
		hybrid := slices.Concat([]byte{6 + odd}, point[1:])
		compressed := slices.Concat([]byte{2 + odd}, point[1:1+len(point)/2])
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a"}}
		certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		for want, bytes := range map[ecpoint.Form][]byte{"": point, "hybrid": hybrid, "compressed": compressed} {
			der := withPoint(t, must(x509.MarshalPKIXPublicKey(key.Public())), bytes)
			if got := ecpoint.OfKey(der); got != want || (got.Err() == nil) != (want == "") {
				t.Errorf("%s, a key: %q %v, want %q", curve.Params().Name, got, got.Err(), want)
			}
			if _, err := x509.ParsePKIXPublicKey(der); (err == nil) != (want == "") {
				t.Errorf("%s, a key with the form %q: x509 says %v", curve.Params().Name, want, err)
			}
			changed := withKey(t, certificate, der)
			if got := ecpoint.OfCertificate(changed); got != want {
				t.Errorf("%s, a certificate: %q, want %q", curve.Params().Name, got, want)
			}
			if got := ecpoint.OfCertificate(slices.Concat(certificate, changed)); got != want {
				t.Errorf("%s, the second certificate: %q, want %q", curve.Params().Name, got, want)
			}
		}
	}
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range [][]byte{nil, {0x30}, must(x509.MarshalPKIXPublicKey(public)), []byte("-----BEGIN")} {
		if ecpoint.OfKey(der) != "" || ecpoint.OfCertificate(der) != "" {
			t.Errorf("%x has a form", der)
		}
	}
}

func must(der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return der
}

// withPoint is a SubjectPublicKeyInfo with another point.
func withPoint(t *testing.T, der, point []byte) []byte {
	var key struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		t.Fatal(err)
	}
	key.Key = asn1.BitString{Bytes: point, BitLength: 8 * len(point)}
	return must(asn1.Marshal(key))
}

// withKey is a certificate with another SubjectPublicKeyInfo, the seventh member of its body; its signature is not by its key.
func withKey(t *testing.T, der, key []byte) []byte {
	var whole, body []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &whole); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(whole[0].FullBytes, &body); err != nil {
		t.Fatal(err)
	}
	body[6] = asn1.RawValue{FullBytes: key}
	whole[0] = asn1.RawValue{FullBytes: must(asn1.Marshal(body))}
	return must(asn1.Marshal(whole))
}
