package signer

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"regexp"
	"strings"
)

// FormatError says that what was given for a key is something else than this package reads, or a key in another format.
type FormatError struct {
	Want    string // "private key" or "public key"
	Found   string // what it is, as far as that can be told
	command string
}

func (e *FormatError) Error() string { return e.Want + ": " + e.Found }

// Convert is a shell command that writes what this package reads into a new file, NAME.pem as a rule, for the key in the
// file of that name; "" where there is none. The commands need openssl, ssh-keygen or another program that knows the format.
func (e *FormatError) Convert(name string) string {
	return strings.NewReplacer("FILE", quote(name), "NEW", quote(name+".pem"), "TMP", quote(name+".tmp")).Replace(e.command)
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_./+][A-Za-z0-9_./+-]*$`)

// quote makes a file's name one word of a shell command.
func quote(name string) string {
	switch {
	case plainName.MatchString(name):
		return name
	case strings.HasPrefix(name, "-"):
		name = "./" + name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// finding is what a text is, with the command that makes PEM of it.
type finding struct{ found, command string }

const (
	wantPrivate = "private key"
	wantPublic  = "public key"

	// openssl reads an Ed25519 key that comes after the head of its DER form.
	privateHead = `printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'`
	publicHead  = `printf '\060\052\060\005\006\003\053\145\160\003\041\000'`
	// the seed in an OpenSSH key without a password, by the lengths of what is before it
	seed = "sed /-----/d FILE | base64 -d | tail -c +162 | head -c 32"

	// the key in an SSH public key
	sshBlob = "awk '{print $2}' | base64 -d | tail -c 32"

	reencrypt = "openssl pkcs8 -topk8 -in FILE -out NEW"
	mendLines = `awk '{gsub(/\\r|\\n|"/,"\n"); gsub(/-----(BEGIN|END) [A-Z0-9 ]+-----/,"\n&\n"); print}' FILE >NEW`
	makeKeys  = "runattest keygen"
)

// unreadable explains a text in which there is no key in a format that this package reads.
func unreadable(want string, data []byte) error {
	s := recognize(want, data)
	return &FormatError{want, s.found, s.command}
}

// recognize guesses, to explain what was refused already.
func recognize(want string, data []byte) finding {
	text := strings.TrimSpace(string(data))
	if s, ok := recognizeText(want, text); ok {
		return s
	}
	if s, ok := recognizeDER(want, data, "FILE"); ok {
		return s
	}
	if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil && len(decoded) > 0 {
		if block, _ := pem.Decode(decoded); block != nil {
			return finding{"this is PEM in base64", "base64 -d <FILE >NEW"}
		}
		if s, ok := recognizeDER(want, decoded, "TMP"); ok {
			return finding{s.found + " in base64", "base64 -d <FILE >TMP && " + s.command}
		}
	}
	if want == wantPrivate {
		return finding{found: "no PEM in it, want PKCS #8, SEC 1 or PKCS #1"}
	}
	return finding{found: "not PEM: want -----BEGIN PUBLIC KEY-----"}
}

func recognizeText(want, text string) (finding, bool) {
	starts := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case starts("\xff\xfe", "\xfe\xff") || strings.Contains(text, "-\x00-\x00"):
		return finding{"this is UTF-16 text, want UTF-8", "iconv -f UTF-16 -t UTF-8 FILE >NEW"}, true
	case strings.Contains(text, "-----BEGIN PGP "):
		return finding{"this is a PGP key, which cannot be converted; make a key pair", makeKeys}, true
	case strings.Contains(text, "-----BEGIN "):
		return finding{"the PEM is damaged: want -----BEGIN ...-----, the base64 and -----END ...----- on lines of their own", mendLines}, true
	case starts("ssh-", "ecdsa-sha2-", "sk-") && strings.Contains(strings.TrimSpace(text), "\n"):
		return finding{found: "these are several lines of SSH public keys; want one key"}, true // a command would take parts of them together
	case starts("ssh-ed25519 "):
		return sshPublic(want, "("+publicHead+"; cat FILE | "+sshBlob+") | openssl pkey -pubin -inform DER -pubout -out NEW"), true
	case starts("ssh-rsa ", "ecdsa-sha2-"):
		return sshPublic(want, "ssh-keygen -e -m PKCS8 -f FILE >NEW"), true
	case starts("---- BEGIN SSH2 PUBLIC KEY"):
		return sshPublic(want, "ssh-keygen -i -f FILE >TMP && ssh-keygen -e -m PKCS8 -f TMP >NEW"), true
	case starts("sk-ssh-", "sk-ecdsa-", "ssh-dss "):
		return finding{"this is an SSH key that signs in SSH's own way; make a key pair", makeKeys}, true
	case starts("PuTTY-User-Key-File-"):
		return finding{"this is a key of PuTTY", "puttygen FILE -O private-openssh -o NEW"}, true
	case starts("untrusted comment:"):
		return finding{"this is a key of minisign or signify, which cannot be converted; make a key pair", makeKeys}, true
	case starts("AGE-SECRET-KEY-", "# created: ", "age1"):
		return finding{"this is a key of age, which signs nothing; make a key pair", makeKeys}, true
	case starts("{", "["):
		return recognizeJSON(want, text)
	}
	return finding{}, false
}

func sshPublic(want, command string) finding {
	if want == wantPrivate {
		return finding{found: "this is a public key of SSH; sign with the private one, whose file has the name without .pub"}
	}
	return finding{"this is a public key of SSH", command}
}

func recognizeJSON(want, text string) (finding, bool) {
	var key struct {
		Type string            `json:"kty"`
		D    string            `json:"d"`
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal([]byte(text), &key); err != nil {
		return finding{}, false
	}
	convert := func(do string) string {
		return `node -e '` + strings.ReplaceAll(do, "KEY", `{key:JSON.parse(require("fs").readFileSync(process.argv[1])),format:"jwk"}`) + `' FILE >NEW`
	}
	const (
		private = `process.stdout.write(require("crypto").createPrivateKey(KEY).export({type:"pkcs8",format:"pem"}))`
		public  = `process.stdout.write(require("crypto").createPublicKey(KEY).export({type:"spki",format:"pem"}))`
	)
	switch {
	case key.Keys != nil:
		return finding{found: "this is a set of JSON Web Keys (JWKS): choose one, and convert it"}, true
	case key.Type == "":
		return finding{found: "this is JSON, want PEM"}, true
	case want == wantPublic:
		return finding{"this is a JSON Web Key (JWK)", convert(public)}, true
	case key.D == "":
		return finding{found: "this is a public JSON Web Key (JWK); sign with the private one, which has a member d"}, true
	}
	return finding{"this is a JSON Web Key (JWK)", convert(private)}, true
}

var (
	jks        = []byte{0xfe, 0xed, 0xfe, 0xed}
	pkcs12Head = 3 // its version
)

// recognizeDER tells what binary data is. The command reads the file in.
func recognizeDER(want string, data []byte, in string) (finding, bool) {
	private := func(found, command string) (finding, bool) {
		if want == wantPublic {
			return finding{found: found + "; give the public key"}, true
		}
		return finding{found, command}, true
	}
	public := func(found, command string) (finding, bool) {
		if want == wantPrivate {
			return finding{found: found + "; sign with the private key"}, true
		}
		return finding{found, command}, true
	}
	if bytes.HasPrefix(data, jks) {
		return finding{"this is a Java key store", "keytool -importkeystore -srckeystore " + in + " -deststoretype PKCS12 -destkeystore NEW"}, true
	}
	var outer asn1.RawValue
	if rest, err := asn1.Unmarshal(data, &outer); err != nil || len(rest) > 0 || outer.Tag != asn1.TagSequence {
		return recognizeBinary(data)
	}
	if _, err := x509.ParsePKIXPublicKey(data); err == nil {
		return public("this is a public key in DER, want PEM", "openssl pkey -pubin -inform DER -in "+in+" -pubout -out NEW")
	}
	if _, err := x509.ParsePKCS1PublicKey(data); err == nil {
		return public("this is an RSA public key in DER, want PEM", "openssl rsa -RSAPublicKey_in -inform DER -in "+in+" -pubout -out NEW")
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return certificate(want, "this is a certificate in DER", "openssl x509 -inform DER -in "+in+" -pubkey -noout >NEW"), true
	}
	if _, err := x509.ParseCertificateRequest(data); err == nil {
		return certificate(want, "this is a certificate request in DER", "openssl req -inform DER -in "+in+" -pubkey -noout >NEW"), true
	}
	if isPrivateDER(data) {
		return private("this is a private key in DER, want PEM", "openssl pkey -inform DER -in "+in+" -out NEW")
	}
	if _, err := parseEncryptedKey(data); err == nil {
		return private("this is an encrypted private key in DER, want PEM", "openssl pkcs8 -topk8 -inform DER -in "+in+" -out NEW")
	}
	var version struct {
		Version int
		Content struct{ Type asn1.ObjectIdentifier }
	}
	if _, err := asn1.Unmarshal(data, &version); err == nil && version.Version == pkcs12Head {
		if want == wantPublic {
			return finding{"this is a PKCS #12 file", "openssl pkcs12 -in " + in + " -nokeys -clcerts | openssl x509 -pubkey -noout >NEW"}, true
		}
		return finding{"this is a PKCS #12 file", "openssl pkcs12 -in " + in + " -nocerts -out NEW"}, true
	}
	return finding{found: "this is DER of some kind, want a key in PEM"}, true
}

func isPrivateDER(data []byte) bool {
	_, pkcs8 := x509.ParsePKCS8PrivateKey(data)
	_, sec1 := x509.ParseECPrivateKey(data)
	_, pkcs1 := x509.ParsePKCS1PrivateKey(data)
	return pkcs8 == nil || sec1 == nil || pkcs1 == nil
}

// recognizeBinary knows the first bytes of PGP keys (RFC 9580, section 4.2).
func recognizeBinary(data []byte) (finding, bool) {
	if len(data) > 3 && bytes.IndexByte([]byte{0x94, 0x95, 0x98, 0x99, 0xc5, 0xc6}, data[0]) >= 0 {
		return finding{"this looks like a PGP key, which cannot be converted; make a key pair", makeKeys}, true
	}
	return finding{}, false
}

func certificate(want, found, command string) finding {
	if want == wantPrivate {
		return finding{found: found + "; sign with the private key"}
	}
	return finding{found + "; give the public key that it certifies", command}
}

// recognizeBlock tells what a PEM block is that this package does not read.
func recognizeBlock(want string, block *pem.Block) finding {
	switch kind := block.Type; kind {
	case "OPENSSH PRIVATE KEY":
		if want == wantPublic {
			return opensshPublic(block.Bytes)
		}
		return opensshPrivate(block.Bytes)
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		return certificate(want, "this is a certificate", "openssl x509 -in FILE -pubkey -noout >NEW")
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return certificate(want, "this is a certificate request", "openssl req -in FILE -pubkey -noout >NEW")
	case "PKCS7", "CMS":
		return certificate(want, "this is a PKCS #7 file of certificates", "openssl pkcs7 -in FILE -print_certs | openssl x509 -pubkey -noout >NEW")
	case "EC PARAMETERS", "DSA PARAMETERS", "DH PARAMETERS":
		return finding{found: "holds " + kind + " and no key"}
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return finding{found: "this is a public key; sign with the private one, which ends in .key"}
	default:
		if isPrivate(kind) && want == wantPublic {
			return finding{"this is a private key; give the public one, which ends in .pub", "runattest public-key --key FILE -o NEW"}
		}
		return finding{found: "PEM of type " + strings.ToValidUTF8(kind, "?") + ", which is not read"}
	}
}

func isOpensshEd25519(data []byte) bool {
	return bytes.Contains(data[:min(len(data), 200)], []byte("ssh-ed25519"))
}

func opensshPublic(data []byte) finding {
	const found = "this is a private key of OpenSSH; give the public one"
	if isOpensshEd25519(data) {
		return finding{found, "(" + publicHead + "; ssh-keygen -y -f FILE | " + sshBlob + ") | openssl pkey -pubin -inform DER -pubout -out NEW"}
	}
	return finding{found, "ssh-keygen -y -f FILE >TMP && ssh-keygen -e -m PKCS8 -f TMP >NEW"}
}

// opensshPrivate knows that ssh-keygen does not write Ed25519 keys as PKCS #8.
func opensshPrivate(data []byte) finding {
	const found = "this is a private key of OpenSSH"
	plain := bytes.HasPrefix(data, []byte("openssh-key-v1\x00\x00\x00\x00\x04none"))
	switch {
	case !isOpensshEd25519(data):
		return finding{found, "cp FILE NEW && ssh-keygen -p -m PKCS8 -f NEW"}
	case plain:
		return finding{found, "(" + privateHead + "; " + seed + ") | openssl pkey -inform DER -out NEW"}
	}
	return finding{found, "cp FILE TMP && ssh-keygen -p -N '' -f TMP && (" + privateHead + "; " +
		strings.ReplaceAll(seed, "FILE", "TMP") + ") | openssl pkcs8 -topk8 -inform DER -out NEW; rm TMP"}
}
