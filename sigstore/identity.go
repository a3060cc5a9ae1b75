package sigstore

import (
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/runattest/runattest/attest/authority"
)

// CertificateIdentity is a signer who is trusted: a subject alternative name that a
// certificate authority has checked with an OIDC issuer.
type CertificateIdentity = authority.CertificateIdentity

// Matcher says which texts are meant: one, or all that a regular expression matches whole.
type Matcher = authority.Matcher

// Exactly matches one text.
func Exactly(text string) Matcher { return authority.Exactly(text) }

// Matching matches what expr (RE2) matches from its first to its last character: expr is
// anchored on both sides, whether it says so or not.
func Matching(expr string) (Matcher, error) { return authority.Matching(expr) }

var (
	// ErrNoIssuer says that names are trusted, and no issuer.
	ErrNoIssuer = errors.New("a name without an issuer: another issuer may give this name to another account")
	// ErrNoName says that issuers are trusted, and no name.
	ErrNoName = errors.New("an issuer without a name: every account of the issuer would be trusted")
)

// EveryIdentity is every name with every issuer, for trust in which each of the names may come from each of the issuers. Names
// without issuers are ErrNoIssuer, and issuers without names ErrNoName.
func EveryIdentity(names, issuers []Matcher) ([]CertificateIdentity, error) {
	switch {
	case len(names) > 0 && len(issuers) == 0:
		return nil, ErrNoIssuer
	case len(names) == 0 && len(issuers) > 0:
		return nil, ErrNoName
	}
	var all []CertificateIdentity
	for _, name := range names {
		for _, issuer := range issuers {
			all = append(all, CertificateIdentity{SubjectAlternativeName: name, Issuer: issuer})
		}
	}
	return all, nil
}

// whyNone tells which half of the identities a certificate misses.
func whyNone(identities []CertificateIdentity, c certificate.Summary) string {
	name, issuer := false, false
	for _, i := range identities {
		name = name || i.SubjectAlternativeName.Match(c.SubjectAlternativeName)
		issuer = issuer || i.Issuer.Match(c.Issuer)
	}
	first := identities[0]
	switch {
	case !name:
		return fmt.Sprintf("the certificate is for %q, not for %s%s", c.SubjectAlternativeName, first.SubjectAlternativeName, more(identities))
	case !issuer:
		return fmt.Sprintf("the identity was checked with the issuer %q, not with %s%s", c.Issuer, first.Issuer, more(identities))
	}
	return fmt.Sprintf("%q with the issuer %q is not a trusted pair", c.SubjectAlternativeName, c.Issuer)
}

func more(identities []CertificateIdentity) string {
	if n := len(identities) - 1; n > 0 {
		return fmt.Sprintf(" or %d others", n)
	}
	return ""
}
