package secrets

import (
	"bytes"
	"maps"
	"slices"
)

// HoldsPrivateKey tells a text with a private key in it, in PEM, as age has it, or as a JSON Web Key. It looks at nothing else and is cheap.
func HoldsPrivateKey(text []byte) bool {
	return bytes.Contains(text, []byte("PRIVATE KEY-----")) || bytes.Contains(text, []byte("AGE-SECRET-KEY-")) || holdsJWK(text)
}

// IsJWKMember tells the member of a JSON Web Key, of which hasType says that it has a "kty", that makes it a private one.
func IsJWKMember(name, s string, hasType bool) bool {
	switch name {
	case "d", "k", "priv":
		return hasType && keyBytes.MatchString(s) && !isPlaceholder(s)
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
