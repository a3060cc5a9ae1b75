package input

import (
	"bytes"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/policy"
)

// The kinds of files that people give in each other's place.
const (
	KindDeclaration = "a declaration"
	KindBundle      = "a bundle"
	KindPrivateKey  = "a private key"
	KindPublicKey   = "a public key"
)

// Kind says what a file is that could not be read as what it should be, "" if that is not plain to see.
func Kind(data []byte) string {
	if message, _, ok := jsonmend.Form(data); ok {
		what, isBinary := strings.CutPrefix(message, "not text: ")
		if isBinary {
			return what
		}
		return message
	}
	has := func(text string) bool { return bytes.Contains(data, []byte(text)) }
	switch text := bytes.TrimSpace(data); {
	case len(text) == 0:
		return "a file of blanks"
	case bytes.HasPrefix(text, []byte("<")):
		return "a web page, or XML"
	case Text{Data: text}.IsBundle():
		return KindBundle
	case has(policy.Schema):
		return "a policy"
	case has(identity.Schema):
		return KindDeclaration
	case has("application/vnd.dev.sigstore.trustedroot"):
		return "a trusted root"
	case has("application/vnd.dev.sigstore.signingconfig"):
		return "a signing configuration"
	case has("PRIVATE KEY-----"):
		return KindPrivateKey
	case has("PUBLIC KEY-----"):
		return KindPublicKey
	case has("-----BEGIN CERTIFICATE-----"):
		return "a certificate"
	}
	return ""
}
