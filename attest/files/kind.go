package files

import (
	"bytes"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/signer"
)

// Kind says what a file is that could not be read as what it should be, such as "a private key", or "" if that is not plain
// to see.
func Kind(data []byte) string {
	if kind := input.Kind(data); kind != "" {
		return kind
	}
	if what := signer.PrivateKeyIn(data); !bytes.Contains(data, []byte("PRIVATE KEY")) { // in another text
		return what
	}
	return ""
}

// Likeness says what an object of another kind than a declaration looks like, by its members, such as "it looks like a Kubernetes
// object (apiVersion, kind)"; "" for what is meant as a declaration, and for what is not read as an object.
func Likeness(data []byte) string {
	for _, p := range identity.LintYAML(data) {
		if _, like, _ := strings.Cut(p.Message, ": "); p.IsForeign() && strings.HasPrefix(like, "it looks like ") {
			return like
		}
	}
	return ""
}

// IsKey tells the kinds that are a key or a certificate.
func IsKey(kind string) bool {
	return kind == input.KindPublicKey || kind == input.KindCertificate || strings.Contains(kind, "private")
}
