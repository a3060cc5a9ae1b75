package sigstore

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"
)

// TestUnsupportedSignatures: a certificate that is signed as crypto/x509 does not verify is called that, and not one that another
// has not signed.
func TestUnsupportedSignatures(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(name string, algorithm x509.SignatureAlgorithm, by *x509.Certificate, from, to string) *x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			SignatureAlgorithm: algorithm, BasicConstraintsValid: true, IsCA: by == nil, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if by == nil {
			by = template
		} else {
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if from != "" && bytes.Count(der, []byte(from)) < 2 {
			t.Fatalf("%s: %x is not in both places", name, from)
		}
		c, err := x509.ParseCertificate(bytes.ReplaceAll(der, []byte(from), []byte(to)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const salt, sha256, mask, rsa256 = "\xa2\x03\x02\x01\x20", "\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01",
		"\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
	trusted := sign("trusted", x509.SHA256WithRSA, nil, "", "")
	made, err := CreateTrustedRoot(RootSpec{CertificateAuthorities: []AuthoritySpec{{URL: "https://f", Chain: certificates(trusted)}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		algorithm      x509.SignatureAlgorithm
		from, to, says string
	}{
		{x509.SHA256WithRSAPSS, salt, "\xa2\x03\x02\x01\x14", "RSA-PSS with SHA-256 and a salt of 20 bytes, want a salt of 32 bytes"},
		{x509.SHA384WithRSAPSS, "\xa2\x03\x02\x01\x30", salt, "RSA-PSS with SHA-384 and a salt of 32 bytes, want a salt of 48 bytes"},
		{x509.SHA256WithRSAPSS, sha256, sha256[:14] + "\x04", "RSA-PSS with SHA-224, want SHA-256"},
		{x509.SHA256WithRSAPSS, mask, mask[:15] + "\x03", "RSA-PSS with SHA-256 and a mask by SHA-512, want one by the same hash"},
		{x509.SHA256WithRSA, rsa256, rsa256[:8] + "\x0e", "RSA with SHA-224, which is not supported"},
	} {
		t.Run(c.says, func(t *testing.T) {
			self := sign("self", c.algorithm, nil, c.from, c.to)
			_, err := CreateTrustedRoot(RootSpec{CertificateAuthorities: []AuthoritySpec{{URL: "https://f", Chain: certificates(self)}}})
			if err == nil || !strings.Contains(err.Error(), "certificate CN=self is signed with "+c.says) {
				t.Errorf("a root: %v", err)
			}
			leaf := sign("leaf", c.algorithm, trusted, c.from, c.to)
			err = links([]*x509.Certificate{leaf, trusted})
			if err == nil || !strings.Contains(err.Error(), "certificate CN=leaf is signed with "+c.says) {
				t.Errorf("a chain: %v", err)
			}
			if _, _, err := made.issuerOf(leaf, leaf.NotBefore); err == nil || !strings.Contains(err.Error(), "certificate CN=leaf is signed with "+c.says) {
				t.Errorf("a signer's certificate: %v", err)
			}
		})
	}
	good := sign("good", x509.SHA256WithRSAPSS, nil, "", "")
	if err := links([]*x509.Certificate{good}); err != nil {
		t.Errorf("RSA-PSS as it is supported: %v", err)
	}
	forged := sign("self", x509.SHA256WithRSA, nil, "self", "flee")
	if err := links([]*x509.Certificate{forged}); err == nil || !strings.Contains(err.Error(), "is not signed by itself as a root is: ") {
		t.Errorf("a root with another's signature: %v", err)
	}
}
