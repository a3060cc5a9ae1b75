package authority

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/runattest/runattest/internal/regexplang"
)

// Matcher says which texts are meant: one, or all that a regular expression matches whole.
// The zero Matcher means none.
type Matcher struct {
	text string // the one text, or the expression
	re   *regexp.Regexp
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
	return Matcher{expr, re}, nil
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

// Covers says that m certainly means every text that other means: where it is false, m may do so all the same.
func (m Matcher) Covers(other Matcher) bool {
	if text, only := other.only(); only {
		return m.Match(text)
	}
	return m.re != nil && (m.text == other.text || m.text == ".*" || m.text == ".+")
}

// only is the one text that m means, if it surely means one: an expression without wildcards does.
func (m Matcher) only() (text string, only bool) {
	if m.re == nil {
		return m.text, true
	}
	parsed, err := syntax.Parse(m.text, syntax.Perl)
	if err != nil || parsed.Simplify().Op != syntax.OpLiteral || parsed.Flags&syntax.FoldCase != 0 {
		return "", false
	}
	return string(parsed.Rune), true
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
	n, bare := i.SubjectAlternativeName, strings.TrimSuffix(issuer, "/")
	return (n.Match(name) || n.Match(strings.ToLower(name)) || n.re == nil && name != "" && strings.EqualFold(n.text, name)) &&
		(i.Issuer.Match(bare) || issuer != "" && i.Issuer.Match(bare+"/"))
}

// Covers says that every certificate of other is certainly one of this signer.
func (i CertificateIdentity) Covers(other CertificateIdentity) bool {
	return i.SubjectAlternativeName.Covers(other.SubjectAlternativeName) && i.Issuer.Covers(other.Issuer)
}
