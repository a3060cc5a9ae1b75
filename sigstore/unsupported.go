package sigstore

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/digitorus/pkcs7"
)

var (
	oidPSS  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidSHA1 = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
)

// pssHashes are those with which crypto/x509 verifies RSA-PSS, by OID: their names and sizes.
var pssHashes = map[string]struct {
	name string
	size int
}{
	pkcs7.OIDDigestAlgorithmSHA256.String(): {"SHA-256", 32},
	pkcs7.OIDDigestAlgorithmSHA384.String(): {"SHA-384", 48},
	pkcs7.OIDDigestAlgorithmSHA512.String(): {"SHA-512", 64},
}

// unsupported says of the first of the certificates that is signed with an algorithm that crypto/x509 does not verify, which that is;
// nil if there are none.
func unsupported(certificates ...*x509.Certificate) error {
	for _, c := range certificates {
		if c != nil && c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
			return fmt.Errorf("certificate %s is signed with %s", c.Subject, signedWith(c))
		}
	}
	return nil
}

// signedWith is with which algorithm, and what is wanted of it.
func signedWith(c *x509.Certificate) string {
	var outer struct {
		Body      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.Raw, &outer); err != nil {
		return "an algorithm that is not supported"
	}
	if outer.Algorithm.Algorithm.Equal(oidPSS) {
		if text, err := pssName(outer.Algorithm.Parameters.FullBytes); err == nil {
			return text
		}
	}
	return algorithmName(outer.Algorithm.Algorithm) + ", which is not supported"
}

// pssName reads the parameters of RSA-PSS (RFC 4055, section 3.1), whose defaults are of SHA-1.
func pssName(parameters []byte) (string, error) {
	var p struct {
		Hash    pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:0"`
		Mask    pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:1"`
		Salt    int                      `asn1:"optional,explicit,tag:2,default:20"`
		Trailer int                      `asn1:"optional,explicit,tag:3,default:1"`
	}
	if rest, err := asn1.Unmarshal(parameters, &p); err != nil || len(rest) > 0 {
		return "", errors.New("not parameters of RSA-PSS")
	}
	hash, mask := p.Hash.Algorithm, oidSHA1
	if hash == nil {
		hash = oidSHA1
	}
	var in pkix.AlgorithmIdentifier
	if _, err := asn1.Unmarshal(p.Mask.Parameters.FullBytes, &in); err == nil {
		mask = in.Algorithm
	}
	known, ok := pssHashes[hash.String()]
	switch {
	case !ok:
		return "RSA-PSS with " + algorithmName(hash) + ", want SHA-256, SHA-384 or SHA-512", nil
	case !mask.Equal(hash):
		other := pssHashes[mask.String()].name
		if other == "" {
			other = algorithmName(mask)
		}
		return fmt.Sprintf("RSA-PSS with %s and a mask by %s, want one by the same hash", known.name, other), nil
	case p.Salt != known.size:
		return fmt.Sprintf("RSA-PSS with %s and a salt of %d bytes, want a salt of %d bytes, as long as the hash", known.name, p.Salt, known.size), nil
	}
	return "RSA-PSS with other parameters than are supported", nil
}
