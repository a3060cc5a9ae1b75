package sigstore

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/runattest/runattest/internal/certfile"
	"github.com/runattest/runattest/internal/limits"
)

// parseChain reads certificates as PEM, the root last, whose keys must be such as are taken.
func parseChain(data []byte) ([]*x509.Certificate, error) {
	chain, err := certfile.Parse(data)
	if err != nil {
		return nil, err
	}
	for _, c := range chain {
		if err := checkCertificateKeys(c); err != nil {
			return nil, err
		}
	}
	if len(chain) > limits.Certificates {
		return nil, fmt.Errorf("more than %d certificates", limits.Certificates)
	}
	return chain, nil
}

// checkOrder wants each certificate to be by the next one, and the last by itself.
func checkOrder(chain []*x509.Certificate) error {
	if links(chain) != nil && len(chain) > 1 {
		turned := slices.Clone(chain)
		slices.Reverse(turned)
		if links(turned) == nil {
			return errors.New("the root comes first: turn the certificates around, the root last")
		}
	}
	return links(chain)
}

func links(chain []*x509.Certificate) error {
	if err := unsupported(chain...); err != nil {
		return err
	}
	for i, c := range chain[:len(chain)-1] {
		if c.Equal(chain[i+1]) {
			return fmt.Errorf("certificate %d, %s, stands twice", i+1, c.Subject)
		}
		if err := c.CheckSignatureFrom(chain[i+1]); err != nil {
			return fmt.Errorf("certificate %d, %s, is not by certificate %d, %s: %w", i+1, c.Subject, i+2, chain[i+1].Subject, err)
		}
	}
	last := chain[len(chain)-1]
	if err := last.CheckSignatureFrom(last); err != nil {
		if bytes.Equal(last.RawIssuer, last.RawSubject) {
			return fmt.Errorf("certificate %d, %s, is not signed by itself as a root is: %w", len(chain), last.Subject, err)
		}
		return fmt.Errorf("ends in %s, which is by %s and no root: append the certificates up to the root", last.Subject, last.Issuer)
	}
	return nil
}

// together is when all of a chain is valid.
func together(chain []*x509.Certificate) period {
	var p period
	for _, c := range chain {
		p = p.within(period{c.NotBefore, c.NotAfter})
	}
	return p
}

// checkChain wants a chain that can vouch for that usage at some time of its period.
func checkChain(chain []*x509.Certificate, usage x509.ExtKeyUsage, valid period) error {
	if err := checkOrder(chain); err != nil {
		return err
	}
	shared := together(chain)
	if shared.empty() {
		return errors.New("the certificates are at no time valid together")
	}
	both := shared.within(valid)
	if both.empty() {
		return fmt.Errorf("is trusted %s, but its certificates are valid %s", valid, shared)
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chain[len(chain)-1])
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: both.from, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return err
}

// checkCertifier wants a chain of authorities, which issue certificates of signers.
func checkCertifier(chain []*x509.Certificate, valid period) error {
	if first := chain[0]; !first.IsCA {
		return fmt.Errorf("begins with %s, which is not an authority: begin with the certificate that issues those of signers", first.Subject)
	}
	return checkChain(chain, x509.ExtKeyUsageCodeSigning, valid)
}

var extKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// checkStamper wants the certificate that signs timestamps (RFC 3161, section 2.3) before its authorities.
func checkStamper(chain []*x509.Certificate, valid period) error {
	leaf := chain[0]
	critical := slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(extKeyUsage) && e.Critical })
	switch only := slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}) && len(leaf.UnknownExtKeyUsage) == 0; {
	case leaf.IsCA && len(chain) > 1 && !chain[len(chain)-1].IsCA:
		return errors.New("the root comes first: turn the certificates around, the root last")
	case leaf.IsCA:
		return fmt.Errorf("begins with %s, an authority: begin with the certificate that signs timestamps", leaf.Subject)
	case !only:
		return fmt.Errorf("begins with %s, which is not for timestamping alone (extended key usage): no timestamp of it would be believed", leaf.Subject)
	case !critical:
		return fmt.Errorf("begins with %s, whose extended key usage is not critical: no timestamp of it would be believed", leaf.Subject)
	case checkKeyUsage(leaf, stamperUsage) != nil:
		return fmt.Errorf("begins with %s: %w: no timestamp of it would be believed", leaf.Subject, checkKeyUsage(leaf, stamperUsage))
	case len(chain) == 1:
		return fmt.Errorf("is %s alone: append the certificates up to the root", leaf.Subject)
	}
	return checkChain(chain, x509.ExtKeyUsageTimeStamping, valid)
}

// period is a time with two ends, both of it. A zero end bounds nothing.
type period struct{ from, until time.Time }

func (p period) within(other period) period {
	if other.from.After(p.from) {
		p.from = other.from
	}
	if p.until.IsZero() || !other.until.IsZero() && other.until.Before(p.until) {
		p.until = other.until
	}
	return p
}

func (p period) empty() bool { return !p.until.IsZero() && p.until.Before(p.from) }

// checkTime says that the trusted root names an authority for another time.
func (p period) checkTime(authority string, at time.Time) error {
	if at.Before(p.from) || !p.until.IsZero() && at.After(p.until) {
		return fmt.Errorf("%s is trusted %s", authority, p)
	}
	return nil
}

func (p period) String() string { return "from " + bound(p.from) + " to " + bound(p.until) }
