package files

import (
	"bytes"
	"strings"

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

// IsKey tells the kinds that are a key or a certificate.
func IsKey(kind string) bool {
	return kind == input.KindPublicKey || kind == input.KindCertificate || strings.Contains(kind, "private")
}
