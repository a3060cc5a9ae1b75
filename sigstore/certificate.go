package sigstore

import (
	"cmp"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/ecpoint"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
)

// leafCertificate is a signer's certificate that has not been verified yet.
type leafCertificate struct {
	leaf    *x509.Certificate
	summary certificate.Summary
	others  string // names besides that of the summary, one a line
	key     *signer.PublicKey
	unfit   error // why there is no key
}

func parseCertificate(der []byte) (*leafCertificate, error) {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, cmp.Or(ecpoint.OfCertificate(der).Err(), err)
	}
	if leaf.IsCA {
		return nil, errors.New("it is an authority's, not a signer's")
	}
	key, err := signer.NewCertifiedKey(leaf.PublicKey)
	if err != nil {
		return nil, err
	}
	return newLeaf(leaf, key)
}

func newLeaf(leaf *x509.Certificate, key *signer.PublicKey) (*leafCertificate, error) {
	summary, err := certificate.SummarizeCertificate(leaf)
	if err != nil && len(leaf.DNSNames)+len(leaf.IPAddresses) > 0 {
		return nil, errors.New("its Subject Alternative Name is a host's: want an email, a URI or an OtherName")
	}
	if err != nil {
		return nil, err
	}
	// crypto/x509 does not know the OtherName form of a subject alternative name, which Fulcio
	// writes for some issuers and SummarizeCertificate has read.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(leaf.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool {
		return id.Equal(cryptoutils.SANOID)
	})
	return &leafCertificate{leaf: leaf, summary: summary, others: otherNames(leaf, summary.SubjectAlternativeName), key: key}, nil
}

// otherNames are the email addresses, URIs and OtherName of a certificate, without the one that SummarizeCertificate has picked.
func otherNames(leaf *x509.Certificate, picked string) string {
	names := slices.Clone(leaf.EmailAddresses)
	for _, uri := range leaf.URIs {
		names = append(names, uri.String())
	}
	if other, err := cryptoutils.UnmarshalOtherNameSAN(leaf.Extensions); err == nil {
		names = append(names, other)
	}
	return strings.Join(slices.DeleteFunc(names, func(name string) bool { return name == picked }), "\n")
}

// checkUsage wants a certificate for signing code, as Fulcio issues them: crypto/x509 takes one that says nothing of its usage for
// all usages, and does not look at what its key is for (RFC 5280, section 4.2.1.3).
func (c *leafCertificate) checkUsage() error {
	if !slices.Contains(c.leaf.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) {
		return errors.New("its extended key usage is not code signing")
	}
	return checkKeyUsage(c.leaf, x509.KeyUsageDigitalSignature)
}

// checkKeyUsage wants a certificate that names the usages of its key to name one of these.
func checkKeyUsage(c *x509.Certificate, some x509.KeyUsage) error {
	if c.KeyUsage != 0 && c.KeyUsage&some == 0 {
		return errors.New("its key usage is not digital signature")
	}
	return nil
}

// judgeStranger fails a certificate that no time could make good: for an identity that is not
// trusted, or by no authority that the trusted root names when the certificate is valid.
func (t *trust) judgeStranger(c *leafCertificate, work *signer.Work) evidence.Check {
	names, match := []string{c.summary.SubjectAlternativeName}, CertificateIdentity.Match
	if t.UnsafeAnyTime { // each of them suffices to forbid something
		names, match = c.signerIdentity().Names(), CertificateIdentity.MayMatch
	}
	isTrusted := func(name string) bool {
		return slices.ContainsFunc(t.Identities, func(i CertificateIdentity) bool { return match(i, name, c.summary.Issuer) })
	}
	if !slices.ContainsFunc(names, isTrusted) {
		return evidence.Failed(evidence.CheckSigner, evidence.CodeCertificateIdentity, "%s", whyNone(t.Identities, c.summary)).
			WithHint(evidence.HintTrustIdentity)
	}
	cost := 2 * foreignChecks * len(t.Root.root.FulcioCertificateAuthorities())
	if !work.Spend(cost) {
		return evidence.Failed(evidence.CheckSigner, evidence.CodeCertificateIssuer, "whose certificate it is was not looked at")
	}
	_, _, early := t.Root.issuerOf(c.leaf, c.leaf.NotBefore)
	_, _, late := t.Root.issuerOf(c.leaf, c.leaf.NotAfter)
	if early == nil || late == nil {
		work.Spend(-cost) // an authority made it possible
	} else {
		return evidence.Failed(evidence.CheckSigner, evidence.CodeCertificateIssuer, "the certificate is by no authority that the trusted root names for %s: %s", visible.Time(c.leaf.NotBefore), early)
	}
	return evidence.Skipped(evidence.CheckSigner, evidence.CodeNotReached, "not dated yet")
}

// judgeSigner says whether the certificate is by an authority that the trusted root vouches for at
// each of the times.
func (t *trust) judgeSigner(c *leafCertificate, times []evidence.TrustedTime) evidence.Check {
	if len(times) == 0 {
		return evidence.Skipped(evidence.CheckSigner, evidence.CodeNotReached, "the certificate names %s, but without trusted time it is unknown whether it was valid", c.summary.SubjectAlternativeName)
	}
	var issuer string
	var chains [][]*x509.Certificate
	for _, at := range times {
		var err error
		issuer, chains, err = t.Root.issuerOf(c.leaf, at.Time)
		if err == nil && at.Accuracy > 0 { // nor is the issuer retired by the latest that the time may be
			_, _, err = t.Root.issuerOf(c.leaf, at.Latest())
		}
		if err != nil {
			return evidence.Failed(evidence.CheckSigner, evidence.CodeCertificateIssuer, "the certificate is by no authority that the trusted root names for %s: %s", visible.Time(at.Time), err)
		}
	}
	logged := ""
	var err error
	if !t.UnsafeAnyTime { // an authority suffices to forbid something
		logged, err = t.Root.checkSCT(c.leaf, chains)
	}
	if err != nil {
		return evidence.Failed(evidence.CheckSigner, evidence.CodeCertificateLog, "the certificate carries no signed certificate timestamp (SCT) by a log that the trusted root names: %s", err)
	}
	return evidence.Passed(evidence.CheckSigner, "%s, checked with %s, certified by %s%s",
		c.summary.SubjectAlternativeName, c.summary.Issuer, issuer, logged)
}

// judgeSignerAtAnyTime is judgeSigner at the beginning of the certificate's validity, or at its end where the
// authority was named later.
func (t *trust) judgeSignerAtAnyTime(c *leafCertificate) evidence.Check {
	first := t.judgeSigner(c, []evidence.TrustedTime{{Time: c.leaf.NotBefore}})
	if first.Verdict == evidence.Pass {
		return first
	}
	return t.judgeSigner(c, []evidence.TrustedTime{{Time: c.leaf.NotAfter}})
}

// issuerOf is the authority that issued a certificate valid at that time.
func (r *TrustedRoot) issuerOf(leaf *x509.Certificate, at time.Time) (string, [][]*x509.Certificate, error) {
	var problems []error
	for _, ca := range r.root.FulcioCertificateAuthorities() {
		chains, err := ca.Verify(leaf, at)
		if err == nil {
			fulcio, _ := ca.(*root.FulcioCertificateAuthority)
			return cmp.Or(fulcio.URI, fulcio.Root.Subject.String()), chains, nil
		}
		if fulcio, ok := ca.(*root.FulcioCertificateAuthority); ok {
			err = cmp.Or(unsupported(append([]*x509.Certificate{leaf}, fulcio.Intermediates...)...), whyNotBy(fulcio, leaf, at), err)
		}
		problems = append(problems, err)
	}
	return "", nil, oneLine(problems)
}

// whyNotBy says why a certificate is not by an authority at that time. Of one that is named for another time, sigstore-go says
// that the certificate is not valid and not that the authority is not.
func whyNotBy(a *root.FulcioCertificateAuthority, leaf *x509.Certificate, at time.Time) error {
	named := period{a.ValidityPeriodStart, a.ValidityPeriodEnd}.checkTime(cmp.Or(a.URI, a.Root.Subject.String()), at)
	if named == nil {
		return nil
	}
	always := *a
	always.ValidityPeriodStart, always.ValidityPeriodEnd = time.Time{}, time.Time{}
	if _, err := always.Verify(leaf, at); err != nil {
		return err
	}
	return named
}

// checkSCT wants one signed certificate timestamp where the trusted root names certificate
// transparency logs. It says which part of a report that is.
func (r *TrustedRoot) checkSCT(leaf *x509.Certificate, chains [][]*x509.Certificate) (string, error) {
	if _, sct := r.demands(leaf); !sct {
		return "", nil
	}
	err := guard(func() error { return verify.VerifySignedCertificateTimestamp(chains, 1, r.root) })
	return ", which a certificate transparency log has seen", err
}

// guard makes an error of a panic in a parser that is not ours: what cannot be read proves nothing.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed: %v", p)
		}
	}()
	return f()
}
