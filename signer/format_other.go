package signer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// noConversion ends what is said of a format that no command converts.
const noConversion = ", which cannot be converted; make a key pair"

// recognizeForeign knows what other programs keep keys and credentials in, none of which is a key that this package signs with.
func recognizeForeign(text string) (finding, bool) {
	no := func(what string) (finding, bool) { return finding{"this is " + what + noConversion, makeKeys}, true }
	first, rest, _ := strings.Cut(text, "\n")
	switch {
	case strings.Contains(text, "-----BEGIN PGP "):
		return no(pgp(text))
	case strings.Contains(text, "-----BEGIN AGE ENCRYPTED FILE"), strings.HasPrefix(text, "age-encryption.org/"):
		return no("a file that age has encrypted")
	case strings.Contains(text, ageSecret), strings.HasPrefix(text, "# created: "), strings.HasPrefix(text, "age1"):
		return finding{"this is a key of age, which signs nothing; make a key pair", makeKeys}, true
	case strings.HasPrefix(text, "untrusted comment:") || isMinisign(rest):
		return no("a key of minisign or signify")
	case strings.HasPrefix(text, ssh1Head):
		return no("a key of SSH 1")
	case strings.HasPrefix(text, "[Interface]") || strings.HasPrefix(text, "[Peer]"):
		return finding{"this is a configuration of WireGuard, whose keys sign nothing; make a key pair", makeKeys}, true
	case strings.Contains(text, "aws_secret_access_key"), strings.Contains(text, `"SecretAccessKey"`), strings.Contains(strings.ToLower(first), "secret access key"):
		return finding{"these are credentials of AWS and no key; name a key in its KMS, awskms:///alias/NAME, or make a key pair", makeKeys}, true
	case strings.HasPrefix(text, "{") && strings.Contains(text, `"client_email"`) && strings.Contains(text, `"private_key"`):
		return finding{"these are credentials of Google Cloud and no key; name a key in its KMS, gcpkms://..., or make a key pair", makeKeys}, true
	case strings.Contains(text, "client-key-data:"), strings.Contains(text, "kind: Config") && strings.Contains(text, "clusters:"):
		return no("a kubeconfig")
	case strings.Contains(text, "kind: Secret") && strings.Contains(text, "apiVersion:"):
		return finding{found: "this is a Secret of Kubernetes; want the key in it, decoded: kubectl get secret NAME -o jsonpath='{.data.FIELD}' prints it in base64"}, true
	}
	if s, ok := recognizeCompact(text); ok {
		return s, true
	}
	if isEnvironment(text) && !strings.Contains(text, "-----BEGIN ") {
		return finding{"these are lines NAME=VALUE, as of a .env file, and no key; a key in the variable NAME is env://NAME; or make a key pair", makeKeys}, true
	}
	return finding{}, false
}

// isEnvironment knows a file of variables by its first line that is not a comment.
func isEnvironment(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		return found && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && strings.Trim(value, "=") != ""
	}
	return false
}

const (
	ageSecret = "AGE-SECRET-KEY-"
	ssh1Head  = "SSH PRIVATE KEY FILE FORMAT 1.1"
)

// pgp is what an armoured text of PGP is (RFC 9580, section 6.2).
func pgp(text string) string {
	_, label, _ := strings.Cut(text, "-----BEGIN PGP ")
	switch {
	case strings.HasPrefix(label, "SIGNATURE"):
		return "a PGP signature"
	case strings.HasPrefix(label, "MESSAGE"), strings.HasPrefix(label, "SIGNED MESSAGE"):
		return "a PGP message"
	}
	return "a PGP key"
}

// isMinisign knows a key of minisign or signify behind a comment by its size: public, signify's secret, minisign's secret.
func isMinisign(line string) bool {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	return err == nil && bytes.HasPrefix(data, []byte("Ed")) && (len(data) == 42 || len(data) == 104 || len(data) == 158)
}

// recognizeCompact knows tokens of JOSE (RFC 7515, RFC 7516) in the compact form.
func recognizeCompact(text string) (finding, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 && len(parts) != 5 || strings.ContainsAny(text, " \t\n") {
		return finding{}, false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || !json.Valid(header) {
		return finding{}, false
	}
	if len(parts) == 5 {
		return encryptedWebKey, true
	}
	return finding{"this is a JSON Web Token and no key; it says whose it is, and is for signing without a key", makeKeys}, true
}

// encryptedWebKey is how step keeps keys of its provisioners.
var encryptedWebKey = finding{"this is encrypted as JSON Web Encryption (JWE); want the key that is in it",
	way{form: writes, text: "step crypto jwe decrypt <FILE", suffix: ".jwk"}}
