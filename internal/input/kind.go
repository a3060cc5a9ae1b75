package input

import (
	"bytes"
	"strings"

	"github.com/runattest/runattest/internal/jsonmend"
)

// The kinds of files that people give in each other's place.
const (
	KindDeclaration = "a declaration"
	KindBundle      = "a bundle"
	KindStatement   = "an in-toto statement without its envelope"
	KindPrivateKey  = "a private key"
	KindPublicKey   = "a public key"
	KindCertificate = "a certificate"
	KindPolicy      = "a policy"
	KindTrustedRoot = "a trusted root"
	KindRunSet      = "a run set"
	KindGateway     = "a gateway configuration"
	KindServices    = "a signing configuration"
)

// The schemas of the kinds that have one, as packages identity and policy define them.
const (
	declarationSchema = "https://github.com/runattest/runattest/declaration/v1"
	policySchema      = "https://github.com/runattest/runattest/policy/v1"
	gatewaySchema     = "https://github.com/runattest/runattest/gateway/v1"
	casesSchema       = "https://github.com/runattest/runattest/policy-cases/v1"
)

// proofType is the media type of the proof of a run in a set, as package attest defines it.
const proofType = "application/vnd.runattest.run-proof.v1+json"

// isPEM tells text with a block whose type ends so. In YAML a block is indented, and in JSON it has no lines.
func isPEM(text []byte, suffix string) bool {
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("-----BEGIN ")) && bytes.HasSuffix(bytes.TrimSpace(line), []byte(suffix+"-----")) {
			return true
		}
	}
	return false
}

// Kind says what a file is that could not be read as what it should be, "" if that is not plain to see.
func Kind(data []byte) string {
	content := bytes.TrimRight(data, "\x00\r\n")
	if len(content) == 0 {
		content = data
	}
	if message, _, ok := jsonmend.Form(content); ok {
		what, isBinary := strings.CutPrefix(message, "not text: ")
		if isBinary {
			return what
		}
		return message
	}
	has := func(text string) bool { return bytes.Contains(data, []byte(text)) }
	switch text := bytes.TrimSpace(data); {
	case len(data) == 0:
		return "an empty file"
	case len(text) == 0:
		return "a file of blanks"
	case bytes.HasPrefix(text, []byte("<")):
		return "a web page, or XML"
	case isRunSet(text):
		return KindRunSet
	case Text{Data: text}.IsBundle():
		return KindBundle
	case has(proofType) && has(`"statement"`) && has(`"bundle"`):
		return KindBundle // malformed: the statement has a declaration in it
	case bytes.HasPrefix(text, []byte("{")) && has(`"_type"`) && has(`"predicateType"`) && has(`"https://in-toto.io/Statement/`):
		return KindStatement // with a declaration in it
	case has(casesSchema):
		return "cases of a policy" // which may hold declarations
	case has(policySchema):
		return KindPolicy
	case has(gatewaySchema):
		return KindGateway
	case has(declarationSchema):
		return KindDeclaration
	case has("application/vnd.dev.sigstore.trustedroot"), has("application/vnd.dev.sigstore.clienttrustconfig"):
		return KindTrustedRoot
	case has("application/vnd.dev.sigstore.signingconfig"):
		return KindServices
	case isPEM(text, "PRIVATE KEY"):
		return KindPrivateKey
	case isPEM(text, "PUBLIC KEY"):
		return KindPublicKey
	case isPEM(text, "CERTIFICATE"):
		return KindCertificate
	}
	return ""
}
