package secrets

import (
	"bytes"
	"maps"
	"slices"
)

// HoldsPrivateKey tells a text with a private key in it, in PEM or as age has it. It looks at nothing else and is cheap.
func HoldsPrivateKey(text []byte) bool {
	return bytes.Contains(text, []byte("PRIVATE KEY-----")) || bytes.Contains(text, []byte("AGE-SECRET-KEY-"))
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
