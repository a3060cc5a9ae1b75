package kms

import (
	"fmt"
	"slices"
	"strings"
)

// prefix begins the name of every plugin; sigstore's protocol says so.
const prefix = "sigstore-kms-"

// withCLibrary is the name that the plugin serves whose packages are its own, since it needs a C library.
const withCLibrary = "pkcs11"

// ours are the names that the plugins of this project serve.
var ours = []string{"awskms", "azurekms", "gcpkms", "hashivault", withCLibrary}

// Names are the names that plugins of this project serve, in order.
func Names() []string { return slices.Clone(ours) }

// reference is a key's reference in its parts.
type reference struct{ name, key string }

// parse splits NAME://KEY. NAME becomes a part of a program's name, so its characters are restricted.
func parse(ref string) (reference, error) {
	name, key, ok := strings.Cut(ref, "://")
	switch {
	case !ok:
		return reference{}, fmt.Errorf("key %q: want NAME://KEY", ref)
	case name == "" || len(name) > 64 || name[0] == '-' || strings.ContainsFunc(name, isForeign):
		return reference{}, fmt.Errorf("key %q: want lower-case letters, digits and hyphens before ://", ref)
	case key == "":
		return reference{}, fmt.Errorf("key %q: no key after %s://", ref, name)
	}
	return reference{name, key}, nil
}

func isForeign(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }

// program is the name of the plugin that serves the reference.
func (r reference) program() string { return prefix + r.name }

func (r reference) String() string { return r.name + "://" + r.key }
