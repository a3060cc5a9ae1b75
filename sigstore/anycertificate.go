package sigstore

import (
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/ecpoint"
	"github.com/runattest/runattest/signer"
)

// parseAnyCertificate is parseCertificate where a certificate can forbid something: whatever it is for, be it an authority's, and
// whatever its key is. Of one whose key nothing can be verified with, unfit says why.
func parseAnyCertificate(der []byte) (*leafCertificate, error) {
	leaf, err := x509.ParseCertificate(der)
	var unfit error
	if err != nil {
		unfit = cmp.Or(ecpoint.OfCertificate(der).Err(), err)
		if leaf, err = parseWithoutKey(der); err != nil {
			return nil, unfit
		}
	}
	var key *signer.PublicKey
	if unfit == nil {
		key, unfit = signer.NewCertifiedKey(leaf.PublicKey)
	}
	c, err := newLeaf(forAnyUse(leaf), key)
	if err != nil {
		return nil, err
	}
	c.unfit = unfit
	return c, nil
}

// forAnyUse is a certificate of which crypto/x509 checks everything but what it is for: neither its extended key usage, nor
// extensions that are unknown.
func forAnyUse(leaf *x509.Certificate) *x509.Certificate {
	c := *leaf
	c.ExtKeyUsage, c.UnknownExtKeyUsage, c.UnhandledCriticalExtensions = nil, nil, nil
	return &c
}

// otherKey is a SubjectPublicKeyInfo that crypto/x509 reads: of an Ed25519 key (RFC 8410, section 4).
var otherKey = append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, make([]byte, 32)...)

// parseWithoutKey reads a certificate (RFC 5280, section 4.1) whose key crypto/x509 does not know, such as one of another curve, with
// another key in its place. The authority's signature is still over what the authority has signed.
func parseWithoutKey(der []byte) (*x509.Certificate, error) {
	var c struct {
		Body      asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.RawValue
	}
	if rest, err := asn1.Unmarshal(der, &c); err != nil || len(rest) > 0 {
		return nil, cmp.Or(err, errors.New("trailing data"))
	}
	var members [][]byte
	keyAt := -1
	for rest := c.Body.Bytes; len(rest) > 0; {
		var member asn1.RawValue
		behind, err := asn1.Unmarshal(rest, &member)
		if err != nil {
			return nil, err
		}
		var info struct {
			Algorithm pkix.AlgorithmIdentifier
			Key       asn1.BitString
		}
		if _, err := asn1.Unmarshal(member.FullBytes, &info); err == nil && keyAt < 0 {
			keyAt = len(members)
		}
		members, rest = append(members, member.FullBytes), behind
	}
	if keyAt < 0 {
		return nil, errors.New("without a key")
	}
	members[keyAt] = otherKey
	signed := c.Body.FullBytes
	c.Body.FullBytes, c.Body.Bytes = nil, slices.Concat(members...)
	other, err := asn1.Marshal(c)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(other)
	if err != nil {
		return nil, err
	}
	leaf.Raw, leaf.RawTBSCertificate, leaf.PublicKey = der, signed, nil
	return leaf, nil
}

// explainUnfit is of a certificate whose key nothing can be verified with. What it is given with may be its signer's: under a
// key that others can sign with, a good signature would not say more.
func (t *trust) explainUnfit(o evidence.Result, c *leafCertificate, work *signer.Work) evidence.Result {
	if t.judgeStranger(c, work).Verdict != evidence.Fail {
		o.OtherScheme = t.mayHaveSigned(c)
	}
	o.Signature = unusable(c.unfit)
	return o
}

func unusable(why error) evidence.Check {
	return evidence.Failed(evidence.CheckSignature, evidence.CodeCertificate, "the certificate cannot be used: %s", why)
}
