package signer

import (
	"bytes"
	"encoding/pem"
	"strings"
)

// secretTexts are texts that stand in private keys alone, and whose they are.
var secretTexts = []struct{ text, what string }{
	{"PRIVATE KEY-----", "a private key in PEM"},
	{"PRIVATE KEY BLOCK-----", "a private key of PGP"},
	{ageSecret, "a private key of age"},
	{"PuTTY-User-Key-File-", "a private key of PuTTY"},
	{"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", "a private key of SSH"},
	{ssh1Head, "a private key of SSH"},
	{"minisign encrypted secret key", "a private key of minisign"},
	{"signify secret key", "a private key of signify"},
	{"client-key-data:", "a kubeconfig with a private key"},

	// base64 of -----BEGIN and PRIVATE, EC, RSA, OPENSSH, ENCRYPTED
	{"LS0tLS1CRUdJTiBQUklWQVRF", "a private key in base64"},
	{"LS0tLS1CRUdJTiBFQyBQUklW", "a private key in base64"},
	{"LS0tLS1CRUdJTiBSU0EgUFJJ", "a private key in base64"},
	{"LS0tLS1CRUdJTiBPUEVOU1NI", "a private key in base64"},
	{"LS0tLS1CRUdJTiBFTkNSWVBU", "a private key in base64"},
}

// PrivateKeyIn says what private key a text or a file holds, in any of the formats that are recognized, or "". It is for
// places where a private key does not belong, such as what is about to be published. Of data larger than a key file it sees
// the formats that are text.
func PrivateKeyIn(data []byte) string {
	for _, s := range secretTexts {
		if bytes.Contains(data, []byte(s.text)) {
			return s.what
		}
	}
	if len(data) > largestKeyFile {
		return ""
	}
	text := strings.TrimSpace(string(bytes.TrimPrefix(data, byteOrderMark)))
	if strings.HasPrefix(text, "{") && isPrivateJSON(text) {
		return "a private JSON Web Key"
	}
	if _, secret, found := strings.Cut(text, "PrivateKey"); found && len(readKeyOf(secret)) == 32 {
		return "a private key of WireGuard"
	}
	if what := privateBinary(data); what != "" {
		return what
	}
	for _, e := range encodings {
		decoded := e.read(text)
		if len(decoded) == 0 {
			continue
		}
		if block, _ := pem.Decode(decoded); block != nil && isPrivate(block.Type) {
			return "a private key in PEM"
		}
		if what := privateBinary(decoded); what != "" {
			return what
		}
	}
	return ""
}

// largestKeyFile bounds what is decoded in more ways than one.
const largestKeyFile = 64 << 10

// readKeyOf reads the value of a line NAME = BASE64, of which the name is cut off.
func readKeyOf(rest string) []byte {
	line, _, _ := strings.Cut(strings.TrimLeft(rest, " \t="), "\n")
	return encodings[1].read(strings.TrimSpace(line))
}

// sequence is the first byte of every key in DER: a constructed SEQUENCE (X.690, section 8.9). Few other texts go to the parsers.
const sequence = 0x30

// privateBinary knows private keys by their bytes.
func privateBinary(data []byte) string {
	switch {
	case len(data) < 16:
		return ""
	case isJavaStore(data):
		return "a Java key store"
	case len(data) == 104 && bytes.HasPrefix(data, []byte("EdBK")):
		return "a private key of signify"
	case len(data) == 158 && bytes.HasPrefix(data, []byte("Ed")):
		return "a private key of minisign"
	case bytes.HasPrefix(data, []byte("openssh-key-v1\x00")):
		return "a private key of OpenSSH"
	case isPGPSecret(data):
		return "a private key of PGP"
	case data[0] != sequence:
		return ""
	case isPrivateDER(data):
		return "a private key in DER"
	}
	if _, err := parseEncryptedKey(data); err == nil {
		return "an encrypted private key in DER"
	}
	if isPKCS12(data) {
		return "a PKCS #12 file"
	}
	return ""
}

// isPGPSecret knows a secret-key packet by its tag, version and the lengths that such packets have (RFC 9580, section 5.5.3).
func isPGPSecret(data []byte) bool {
	body := 0
	switch data[0] {
	case 0x94: // old format, one byte of length
		body = 2
	case 0x95: // two bytes
		body = 3
	case 0xc5: // new format
		body = 2
		if data[1] >= 192 {
			body = 3
		}
	default:
		return false
	}
	const createdAndMore = 5 // the time of creation, and the algorithm behind it
	version, algorithm := data[body], data[body+createdAndMore]
	return (version == 4 || version == 6) && (algorithm <= 3 || 16 <= algorithm && algorithm <= 28)
}
