package sigstore

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// Matcher says which texts are meant: one, or all that a regular expression matches whole.
// The zero Matcher means none.
type Matcher struct {
	exact string
	re    *regexp.Regexp
}

// Exactly matches one text.
func Exactly(text string) Matcher { return Matcher{exact: text} }

// Matching matches what expr (RE2) matches from its first to its last character: expr is
// anchored on both sides, whether it says so or not.
func Matching(expr string) (Matcher, error) {
	if expr == "" {
		return Matcher{}, errors.New("the regular expression is empty")
	}
	if _, err := regexp.Compile(expr); err != nil { // as it stands: no parenthesis may reach out of the group below
		return Matcher{}, err
	}
	re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
	if err != nil {
		return Matcher{}, err
	}
	return Matcher{re: re}, nil
}

func (m Matcher) match(text string) bool {
	switch {
	case text == "":
		return false
	case m.re != nil:
		return m.re.MatchString(text)
	}
	return m.exact == text
}

func (m Matcher) String() string {
	if m.re != nil {
		return m.re.String()
	}
	return m.exact
}

// CertificateIdentity is a signer who is trusted: a subject alternative name that a
// certificate authority has checked with an OIDC issuer.
type CertificateIdentity struct {
	SubjectAlternativeName Matcher
	Issuer                 Matcher
}

func (i CertificateIdentity) match(c certificate.Summary) bool {
	return i.SubjectAlternativeName.match(c.SubjectAlternativeName) && i.Issuer.match(c.Issuer)
}

// whyNone tells which half of the identities a certificate misses.
func whyNone(identities []CertificateIdentity, c certificate.Summary) string {
	name, issuer := false, false
	for _, i := range identities {
		name = name || i.SubjectAlternativeName.match(c.SubjectAlternativeName)
		issuer = issuer || i.Issuer.match(c.Issuer)
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
