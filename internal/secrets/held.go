package secrets

import (
	"bytes"
	"maps"
	"slices"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// HoldsPrivateKey tells a text with a private key in it, in PEM, as age has it, or as a JSON Web Key. It looks at nothing else and is cheap.
func HoldsPrivateKey(text []byte) bool {
	return bytes.Contains(text, []byte("PRIVATE KEY-----")) || bytes.Contains(text, []byte("AGE-SECRET-KEY-")) || holdsJWK(text)
}

// The members of a JSON Web Key that is private: d (RFC 7518, section 6), k of a symmetric one, and priv of the newer kinds.
var (
	keyType    = lazyregexp.New(`["']kty\\*["'][ \t\r\n]*:`)
	keyBytes   = lazyregexp.New(`^[A-Za-z0-9_-]{20,}={0,2}$`)
	privateJWK = lazyregexp.New(`["'](?:d|k|priv)\\*["'][ \t\r\n]*:[ \t\r\n]*\\*["'][A-Za-z0-9_-]{20}`)
)

// holdsJWK tells a text with a private JSON Web Key in it, which may be in a string of JSON, in Python, or in prose with quotes and braces
// of its own. So it does not ask whether type and private member are those of one object: a key that is missed is the worse mistake.
func holdsJWK(text []byte) bool {
	if !bytes.Contains(text, []byte("kty")) {
		return false
	}
	s := string(text)
	return keyType.MatchString(s) && privateJWK.MatchString(s)
}

// IsJWKMember tells the member of a JSON Web Key, of which hasType says whether it has a "kty", that makes it a private one.
func IsJWKMember(name, s string, hasType func() bool) bool {
	switch name {
	case "d", "k", "priv":
		return keyBytes.MatchString(s) && !isPlaceholder(s) && hasType()
	}
	return false
}

// Named are the names whose values look like a credential, by the name or by the value, sorted.
func Named(values map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if value := values[name]; IsNamed(name, value) || In(value) != "" {
			names = append(names, name)
		}
	}
	return names
}
