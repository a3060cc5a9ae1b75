package sigstore

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/internal/visible"
)

// claim is a token whose signer's certificate is that of an authority, or was issued under it. Whether it signed the token is not known yet.
//
// The certificates of a token are not signed: each party that passes it on can add others, which issue each other, and crypto/x509 would
// search all their chains. So only those of them are taken that the authority's own keys have signed, or certificates among them in turn.
type claim struct {
	*token
	authority int // in the trusted root
	by        *root.SigstoreTimestampingAuthority
	signer    *x509.Certificate
	issued    []*x509.Certificate // of the token's, under the authority
}

// claimOf tells a token that an authority may have signed.
func (t *token) claimOf(tsa root.TimestampingAuthority) (claim, bool) {
	a, ok := tsa.(*root.SigstoreTimestampingAuthority)
	signer := t.signer(leafOf(tsa))
	if !ok || signer == nil || a.Leaf != nil && !a.Leaf.Equal(signer) {
		return claim{}, false
	}
	c := claim{token: t, by: a, signer: signer, issued: t.issuedUnder(a)}
	isAuthoritys := func(all []*x509.Certificate) bool { return slices.ContainsFunc(all, signer.Equal) }
	return c, a.Leaf != nil || isAuthoritys(c.issued) || isAuthoritys(issuersOf(a)) // which the library refuses by a reason of its own
}

// issuedUnder are the certificates of the token that an authority's keys vouch for, each once, without those that the trusted root has.
// Each is held against each certificate of the name of its issuer once.
func (t *token) issuedUnder(a *root.SigstoreTimestampingAuthority) []*x509.Certificate {
	known := issuersOf(a)
	rest, own := slices.Clone(t.certificates), len(known)
	for i := 0; i < len(known); i++ {
		rest = slices.DeleteFunc(rest, func(c *x509.Certificate) bool {
			isSame := func(other *x509.Certificate) bool { return bytes.Equal(c.RawTBSCertificate, other.RawTBSCertificate) }
			switch {
			case slices.ContainsFunc(known, isSame):
				return true
			case !bytes.Equal(c.RawIssuer, known[i].RawSubject):
				return false
			}
			if t.checked++; c.CheckSignatureFrom(known[i]) != nil {
				t.foreign++
				return false
			}
			known = append(known, c)
			return true
		})
	}
	return known[own:]
}

// response is the response with the certificates that count.
func (c claim) response() ([]byte, error) {
	certificates := c.issued
	if !slices.ContainsFunc(certificates, c.signer.Equal) {
		certificates = append([]*x509.Certificate{c.signer}, certificates...)
	}
	return c.carrying(certificates)
}

// carrying is the response with these certificates in the place of the token's, which was read.
func (t *token) carrying(certificates []*x509.Certificate) ([]byte, error) {
	var message struct {
		Type    asn1.ObjectIdentifier
		Wrapped struct {
			Signed asn1.RawValue
		} `asn1:"tag:0"`
	}
	if err := exactly(t.message, &message); err != nil {
		return nil, err
	}
	const behind = 3 // the version, the digest algorithms and the content
	parts, err := elements(message.Wrapped.Signed.Bytes)
	if err != nil || len(parts) < behind {
		return nil, errDER
	}
	var ders []byte
	for _, c := range certificates {
		ders = append(ders, c.Raw...)
	}
	all := append(parts[:behind:behind], asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: ders})
	for _, part := range parts[behind:] {
		if part.Class != asn1.ClassContextSpecific || part.Tag != 0 {
			all = append(all, part)
		}
	}
	signed, err := asn1.Marshal(all)
	if err != nil {
		return nil, err
	}
	message.Wrapped.Signed = asn1.RawValue{FullBytes: signed}
	token, err := asn1.Marshal(message)
	if err != nil {
		return nil, err
	}
	return responseOf(token)
}

// verify has sigstore-go verify the timestamp under the authority.
func (c claim) verify(signature []byte) error {
	response, err := c.response()
	if err == nil {
		err = guard(func() error { return checkStampKeys(response) })
	}
	if err != nil {
		return err
	}
	var at *root.Timestamp
	if err := guard(func() (err error) { at, err = c.by.Verify(response, signature); return err }); err != nil {
		return err
	}
	if !at.Time.Equal(c.at) {
		return errors.New("cannot be read in one way")
	}
	if err := c.checkSigner(c.signer); err != nil {
		return err
	}
	return c.checkEnd()
}

// checkEnd wants the authority and its certificates to be valid as late as the time may be.
func (c claim) checkEnd() error {
	latest := c.at.Add(c.accuracy)
	if c.accuracy == 0 {
		return nil
	}
	if end := c.by.ValidityPeriodEnd; !end.IsZero() && latest.After(end) {
		return fmt.Errorf("the time may be as late as %s, after the validity of its authority ends at %s", visible.Time(latest), visible.Time(end))
	}
	ends := func(c *x509.Certificate) bool { return latest.After(c.NotAfter) }
	if !ends(c.signer) && !slices.ContainsFunc(c.issued, ends) && !slices.ContainsFunc(issuersOf(c.by), ends) {
		return nil
	}
	if _, err := c.chains(latest); err != nil {
		return fmt.Errorf("the time may be as late as %s: %w", visible.Time(latest), err)
	}
	return nil
}

// issuerKeys are the keys that vouch for the signer's certificate, up to the authority's root.
func (c claim) issuerKeys() (keys []string, err error) {
	chains, err := c.chains(c.at)
	for _, chain := range chains {
		for _, c := range chain[1:] {
			if key := keyOf(c); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys, err
}

// chains are those from the signer's certificate to the authority's root that are valid at a time. None is an error.
func (c claim) chains(at time.Time) ([][]*x509.Certificate, error) {
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(c.by.Root)
	for _, c := range slices.Concat(c.issued, c.by.Intermediates) {
		others.AddCert(c)
	}
	return c.signer.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
}

// isSigned says whether the signer's key signed the token, whatever else is wrong with it.
func (c claim) isSigned() bool {
	return guard(func() error {
		message, err := pkcs7.Parse(c.message.FullBytes)
		if err != nil {
			return err
		}
		message.Certificates = []*x509.Certificate{c.signer}
		return message.Verify()
	}) == nil
}

// whyNot says why a timestamp that the authority signed does not count: that the trusted root names the authority for another time is
// the reason only where nothing else is wrong.
func (c claim) whyNot(signature []byte) error {
	valid, always := period{c.by.ValidityPeriodStart, c.by.ValidityPeriodEnd}, *c.by
	always.ValidityPeriodStart, always.ValidityPeriodEnd = time.Time{}, time.Time{}
	c.by = &always
	if err := c.verify(signature); err != nil {
		return err
	}
	return valid.checkTime("the authority", c.at)
}
