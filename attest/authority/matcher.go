package authority

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/regexplang"
)

// Matcher says which texts are meant: one, or all that a regular expression matches whole.
// The zero Matcher means none.
type Matcher struct {
	text    string // the one text, or the expression
	re      *regexp.Regexp
	anyCase func() *regexp.Regexp // of the same texts in upper and lower case; nil if that is not known
	means   func() texts          // those that the expression matches
}

// Exactly matches one text.
func Exactly(text string) Matcher { return Matcher{text: text} }

// Matching matches what expr (RE2) matches from its first to its last character: expr is
// anchored on both sides, whether it says so or not. One that matches no text, or the empty one alone, is an error.
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
	if regexplang.IsEmpty(expr) {
		return Matcher{}, errors.New("the regular expression matches no text, or the empty one alone")
	}
	anyCase := sync.OnceValue(func() *regexp.Regexp { // which few need, and takes longer
		folded, err := regexplang.AnyCase(expr)
		if err != nil {
			return nil
		}
		re, err := regexp.Compile(`\A(?:` + folded + `)\z`)
		if err != nil {
			return nil
		}
		return re
	})
	return Matcher{expr, re, anyCase, sync.OnceValue(func() texts {
		all, inAnyCase, ok := regexplang.Texts(expr, limits.IdentityTexts)
		return texts{all, inAnyCase, ok}
	})}, nil
}

// texts are those of an expression, in one case of the letters that it takes in both; all is false where there are more.
type texts struct {
	some         []string
	anyCase, all bool
}

// Match says whether the text is meant. The empty text never is.
func (m Matcher) Match(text string) bool {
	switch {
	case text == "":
		return false
	case m.re != nil:
		return m.re.MatchString(text)
	}
	return m.text == text
}

// matchAnyCase is Match of the text in whatever case its letters are.
func (m Matcher) matchAnyCase(text string) bool {
	lower := strings.ToLower(text) // of a dotted I, too, which has no other case to a regular expression
	switch {
	case text == "":
		return false
	case m.re != nil:
		re := m.anyCase()
		return re == nil || re.MatchString(text) || re.MatchString(lower)
	}
	return strings.EqualFold(m.text, text) || strings.EqualFold(m.text, lower)
}

// covers says that match, which is of m, surely holds for every text that other means. Without anyCase it tells upper and lower case.
func (m Matcher) covers(other Matcher, match func(text string) bool, anyCase bool) bool {
	means := texts{[]string{other.text}, false, true}
	if other.re != nil {
		means = other.means()
	}
	if means.all && (anyCase || !means.anyCase) {
		return !slices.ContainsFunc(means.some, func(text string) bool { return !match(text) })
	}
	return m.re != nil && (m.text == other.text || m.text == ".*" || m.text == ".+")
}

// IsRegexp says whether the texts that are meant are those that an expression matches.
func (m Matcher) IsRegexp() bool { return m.re != nil }

// Text is what Exactly or Matching was given.
func (m Matcher) Text() string { return m.text }

// String is the text, or the expression with its anchors.
func (m Matcher) String() string {
	if m.re != nil {
		return m.re.String()
	}
	return m.text
}

// CertificateIdentity is a signer who is trusted: a subject alternative name that a
// certificate authority has checked with an OIDC issuer.
type CertificateIdentity struct {
	SubjectAlternativeName Matcher
	Issuer                 Matcher
}

// Match says whether a certificate with that subject alternative name and issuer is one of this signer.
func (i CertificateIdentity) Match(name, issuer string) bool {
	return i.SubjectAlternativeName.Match(name) && i.Issuer.Match(issuer)
}

// MayMatch is Match in whatever case the letters of the name are, as mail systems and identity providers have them, and with or without a
// slash at the end of the issuer. It tells who may have signed, where that forbids something; no signer is trusted by it.
func (i CertificateIdentity) MayMatch(name, issuer string) bool {
	return i.SubjectAlternativeName.matchAnyCase(name) && i.mayMatchIssuer(issuer)
}

func (i CertificateIdentity) mayMatchIssuer(issuer string) bool {
	bare := strings.TrimSuffix(issuer, "/")
	return i.Issuer.Match(bare) || issuer != "" && i.Issuer.Match(bare+"/")
}

// MayCover says that MayMatch surely holds for every certificate of other: where it is false, it may do so all the same.
func (i CertificateIdentity) MayCover(other CertificateIdentity) bool {
	return i.SubjectAlternativeName.covers(other.SubjectAlternativeName, i.SubjectAlternativeName.matchAnyCase, true) &&
		i.Issuer.covers(other.Issuer, i.mayMatchIssuer, false)
}

// Each is i as one identity for each name and issuer that it means, where they are few; or else i alone. Names that it means in any case
// of their letters are there in one, which is enough for MayMatch and MayCover.
func (i CertificateIdentity) Each() []CertificateIdentity {
	var all []CertificateIdentity
	for _, name := range i.SubjectAlternativeName.each(true) {
		for _, issuer := range i.Issuer.each(false) {
			all = append(all, CertificateIdentity{name, issuer})
		}
	}
	if len(all) > limits.IdentityTexts {
		return []CertificateIdentity{i}
	}
	return all
}

func (m Matcher) each(anyCase bool) []Matcher {
	if m.re == nil {
		return []Matcher{m}
	}
	means := m.means()
	if !means.all || means.anyCase && !anyCase {
		return []Matcher{m}
	}
	var all []Matcher
	for _, text := range means.some {
		if m.Match(text) { // it may be the empty one, or not be matched behind an anchor
			all = append(all, Exactly(text))
		}
	}
	if len(all) == 0 {
		return []Matcher{m}
	}
	return all
}
