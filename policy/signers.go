package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/unseen"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/policy/internal/rules"
	"github.com/runattest/runattest/signer"
)

// A signerSet holds keys and certificate identities that belong together: the signers of runs, or those of one
// approver.
type signerSet struct {
	keys       []attest.TrustedKey
	identities []authority.CertificateIdentity
}

// include says whether it was one of them who signed, with whichever key or certificate.
func (s *signerSet) include(by evidence.SignerIdentity) bool {
	return s.have(by, authority.CertificateIdentity.Match)
}

// mayInclude is include where that forbids something.
func (s *signerSet) mayInclude(by evidence.SignerIdentity) bool {
	return s.have(by, authority.CertificateIdentity.MayMatch)
}

func (s *signerSet) have(by evidence.SignerIdentity, match func(i authority.CertificateIdentity, name, issuer string) bool) bool {
	if by.Kind == evidence.SignedByCertificate {
		return slices.ContainsFunc(s.identities, func(i authority.CertificateIdentity) bool {
			return slices.ContainsFunc(by.Names(), func(name string) bool { return match(i, name, by.Issuer) })
		})
	}
	return slices.ContainsFunc(s.keys, func(k attest.TrustedKey) bool { return k.Key.Hint() == by.KeyHint })
}

// fields reads `keys` and `certificates`. A key without a name gets that of its owner.
func (s *signerSet) fields(r *reader, files *folder, owner *string) map[string]field {
	return map[string]field{
		"keys": func(v jsontree.Value) {
			r.list(v, 1, limits.Signers, func(_ int, v jsontree.Value) { s.readKey(r, files, owner, v) })
		},
		"certificates": func(v jsontree.Value) {
			r.list(v, 1, limits.Signers, func(_ int, v jsontree.Value) { s.readCertificate(r, v) })
		},
	}
}

func (s *signerSet) readKey(r *reader, files *folder, owner *string, v jsontree.Value) {
	var k attest.TrustedKey
	before := len(r.problems)
	required := []string{"key"}
	if owner == nil {
		required = append(required, "name")
	}
	r.members(v, required, map[string]field{
		"name":      r.label(&k.Name),
		"notBefore": r.time(&k.NotBefore),
		"notAfter":  r.time(&k.NotAfter),
		"key": func(v jsontree.Value) {
			var text string
			if r.string(&text)(v); text == "" {
				return
			}
			var err error
			if k.Key, err = readKey(text, files); err != nil {
				r.fail(identity.CodeValue, keyHint(text, err), "%s", strings.TrimPrefix(err.Error(), "public key: "))
			}
		},
	})
	if k.Name == "" && owner != nil {
		k.Name = *owner
	}
	if !k.NotAfter.IsZero() && !k.NotBefore.Before(k.NotAfter) {
		r.fail(identity.CodeValue, "", "the key is valid until %s, which is not after it begins, at %s", stamp(k.NotAfter), stamp(k.NotBefore))
	}
	if len(r.problems) == before {
		s.keys = append(s.keys, k)
	}
}

func readKey(text string, files *folder) (*signer.PublicKey, error) {
	data := []byte(text)
	if !isKeyText(text) {
		var err error
		if data, err = files.read(text, limits.Key); err != nil {
			return nil, err
		}
	}
	return signer.ParsePublicKey(data)
}

// isKeyText tells a key's text from the name of its file.
func isKeyText(text string) bool {
	return strings.Contains(text, "-----BEGIN") || strings.Contains(text, "\n")
}

// keyHint is how to convert a key in another format.
func keyHint(text string, err error) string {
	const kinds = "a file below the policy's folder, or the PEM text itself"
	var format *signer.FormatError
	var weak *signer.WeakKeyError
	switch {
	case errors.As(err, &weak):
		return "have the holder make a new key pair (runattest keygen), and name its public key here in place of this one"
	case !errors.As(err, &format):
		return kinds
	}
	name := text
	if isKeyText(text) {
		name = "FILE"
	}
	return cmp.Or(format.Convert(name), kinds)
}

// lacksScheme tells a URI that begins with its host, and not an email address or another name with a slash in it.
func lacksScheme(identity string) bool {
	host, _, ok := strings.Cut(identity, "/")
	_, ref, isAt := strings.Cut(identity, "@")
	return ok && hostAlone.MatchString(host) && (!isAt || strings.Contains(ref, "/"))
}

var hostAlone = lazyregexp.New(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

func (s *signerSet) readCertificate(r *reader, v jsontree.Value) {
	var c authority.CertificateIdentity
	before := len(r.problems)
	exactly := func(into *authority.Matcher, member string) field {
		return func(v jsontree.Value) {
			var text string
			before := len(r.problems)
			r.identity(&text, member)(v)
			if member == "issuer" && text != "" && !strings.Contains(text, "://") && len(r.problems) == before {
				write := "write https://" + text
				if strings.Contains(text, ":") {
					write = "write the URL"
				}
				r.fail(identity.CodeValue, write+"; if certificates have it as it stands, write issuerRegexp in place of issuer",
					"the issuer of an identity is a URL, and this is none: no certificate would have it")
			}
			if member == "identity" && lacksScheme(text) && len(r.problems) == before {
				r.fail(identity.CodeValue, "write https://"+text+"; if certificates have it as it stands, write identityRegexp in place of identity",
					"an identity that is a URI has a scheme, and this has none: no certificate would have it")
			}
			*into = authority.Exactly(text)
		}
	}
	matching := func(into *authority.Matcher) field {
		return func(v jsontree.Value) {
			var text string
			if r.string(&text)(v); text == "" {
				return
			}
			if found := rules.MistakesInPattern(text); len(found) > 0 {
				for _, f := range found {
					f.Fix += "; if a certificate has this one, write " + rules.Escaped(f, `\x{%X}`) + " for it"
					r.refuse([]unseen.Finding{f})
				}
				return
			}
			if f, ok := unseen.Overlooked(text); ok && !strings.HasSuffix(text, `\ `) {
				f.Fix += "; if a certificate has it, write [ ] for it"
				r.refuse([]unseen.Finding{f})
				return
			}
			m, err := authority.Matching(text)
			if err != nil {
				r.fail(identity.CodeValue, "", "%s", err)
				return
			}
			*into = m
		}
	}
	r.members(v, nil, map[string]field{
		"identity":       exactly(&c.SubjectAlternativeName, "identity"),
		"identityRegexp": matching(&c.SubjectAlternativeName),
		"issuer":         exactly(&c.Issuer, "issuer"),
		"issuerRegexp":   matching(&c.Issuer),
	})
	for _, name := range []string{"identity", "issuer"} {
		exact, pattern := v.Get(name).Kind() != jsontree.Absent, v.Get(name+"Regexp").Kind() != jsontree.Absent
		if exact == pattern && v.Kind() == jsontree.Object {
			r.fail(identity.CodeRequired, "", "want exactly one of %s and %sRegexp", name, name)
		}
	}
	if len(r.problems) == before {
		s.identities = append(s.identities, c)
	}
}

// The evidence of time that a policy asks for.
const (
	evidenceNone      = "none"
	evidenceTimestamp = "timestamp"
	evidenceLog       = "log"
)

// demand is how much evidence of time a signature must carry.
type demand struct {
	evidence string
	count    int
}

// trust returns the trust check for these signers. Without a trusted root it is one of keys, which gives no evidence of time.
func (s signerSet) trust(root authority.Root, d demand) (attest.Trust, error) {
	demands := authority.Demands{Keys: s.keys, Identities: s.identities}
	switch d.evidence {
	case evidenceTimestamp:
		demands.Timestamps = d.count
	case evidenceLog:
		demands.LogEntries = d.count
	}
	switch {
	case root != nil:
		return root.Trust(demands)
	case len(s.identities) > 0:
		return nil, errNoIssuer
	case demands.Timestamps > 0:
		return nil, fmt.Errorf("%s required, and the policy has no trustedRoot that names timestamp authorities", plural(d.count, "timestamp"))
	case demands.LogEntries > 0:
		return nil, fmt.Errorf("%d log entries required, and the policy has no trustedRoot that names transparency logs", d.count)
	}
	return attest.TrustKeys(s.keys...)
}

// trustAtAnyTime is a trust check for who signs, whenever that was.
func (s signerSet) trustAtAnyTime(root authority.Root) (attest.Trust, error) {
	switch {
	case root != nil:
		return root.Trust(authority.Demands{Keys: s.keys, Identities: s.identities, UnsafeAnyTime: true})
	case len(s.identities) > 0:
		return nil, errNoIssuer
	}
	return authority.UnsafeKeysAtAnyTime(s.keys...)
}

var errNoIssuer = errors.New("certificate identities are trusted, but no trusted root says who issues certificates")

// bounded is a key that is valid in a certain time only.
func (s signerSet) bounded() (attest.TrustedKey, bool) {
	for _, k := range s.keys {
		if k.Bounded() {
			return k, true
		}
	}
	return attest.TrustedKey{}, false
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "any time"
	}
	return t.UTC().Format(time.RFC3339)
}

// apart prints two times so that they differ if the times do.
func apart(a, b time.Time) (string, string) {
	x, y := stamp(a), stamp(b)
	if x == y && !a.Equal(b) {
		return visible.Time(a), visible.Time(b)
	}
	return x, y
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
