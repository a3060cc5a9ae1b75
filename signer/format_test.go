package signer_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/runattest/runattest/signer"
)

// sh runs a shell command in a folder, where the programs that it needs are there.
func sh(t *testing.T, dir, command string) {
	t.Helper()
	for _, program := range []string{"openssl", "ssh-keygen", "node", "iconv", "base64", "perl", "xxd"} {
		if _, err := exec.LookPath(program); err != nil && strings.Contains(command, program) {
			t.Skipf("no %s here", program)
		}
	}
	c := exec.Command("sh", "-ec", "umask 022; "+command)
	c.Dir = dir
	c.Env = append(os.Environ(), "SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force") // no question
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// TestConvert makes a key in each format that is not read, with the tool that people have it from, and does what the error
// says. The key that comes out is the one that went in, or at least a key.
func TestConvert(t *testing.T) {
	if testing.Short() {
		t.Skip("runs other programs")
	}
	const openssl = "openssl ecparam -name prime256v1 -genkey -noout -out k.pem; openssl pkey -in k.pem -pubout -out p.pem; "
	const ed = "openssl genpkey -algorithm ED25519 -out k.pem; openssl pkey -in k.pem -pubout -out p.pem; "
	const cert = openssl + "openssl req -x509 -key k.pem -subj /CN=x -out c.pem; "
	for name, c := range map[string]struct{ private, make, found string }{
		"OpenSSH Ed25519":        {"yes", "ssh-keygen -q -t ed25519 -N '' -f KEY", "this is a private key of OpenSSH"},
		"OpenSSH ECDSA":          {"yes", "ssh-keygen -q -t ecdsa -N '' -f KEY", "this is a private key of OpenSSH"},
		"DER":                    {"yes", ed + "openssl pkey -in k.pem -outform DER -out KEY", "this is a private key in DER"},
		"DER of SEC 1":           {"yes", openssl + "openssl ec -in k.pem -outform DER -out KEY", "this is a private key in DER"},
		"base64 of DER":          {"yes", openssl + "openssl pkey -in k.pem -outform DER | base64 >KEY", "this is a private key in DER in base64, want PEM"},
		"base64 of PEM":          {"yes", openssl + "base64 k.pem >KEY", "this is PEM in base64"},
		"UTF-16":                 {"yes", openssl + "iconv -f UTF-8 -t UTF-16 k.pem >KEY", "this is UTF-16 text"},
		"UTF-16 without BOM":     {"yes", openssl + "iconv -f UTF-8 -t UTF-16LE k.pem >KEY", "this is UTF-16 text"},
		"one line":               {"yes", openssl + "tr '\\n' ' ' <k.pem >KEY", "the PEM is damaged"},
		"one line, and a curve":  {"yes", "openssl ecparam -name prime256v1 -genkey | tee k.pem | tr '\\n' ' ' >KEY; openssl pkey -in k.pem -pubout -out p.pem", "the PEM is damaged"},
		"nothing between":        {"yes", openssl + "tr -d '\\n' <k.pem >KEY", "the PEM is damaged"},
		"backslash n":            {"yes", openssl + `awk '{printf "%s\\n", $0}' k.pem >KEY`, "the PEM is damaged"},
		"indented":               {"yes", openssl + "sed 's/^/    /' k.pem >KEY", "the PEM is damaged"},
		"mail":                   {"yes", openssl + "(echo 'Am Montag schrieb sie:'; sed 's/^/> > /' k.pem) >KEY", "the PEM is damaged"},
		"comments":               {"yes", openssl + "sed 's:^:// :' k.pem >KEY", "the PEM is damaged"},
		"numbered lines":         {"yes", openssl + "cat -n k.pem >KEY", "the PEM is damaged"},
		"HTML":                   {"yes", openssl + "sed 's:$:<br>:' k.pem | tr -d '\\n' >KEY", "the PEM is damaged"},
		"strings of a program":   {"yes", openssl + `sed 's:.*:  "&\\n" +:' k.pem >KEY`, "the PEM is damaged"},
		"member of JSON":         {"yes", openssl + `(printf '{"type": "service_account", "private_key": "'; awk '{printf "%s\\n", $0}' k.pem; printf '", "x": 1}') >KEY`, "the PEM is damaged"},
		"UTF-16BE without BOM":   {"yes", openssl + "iconv -f UTF-8 -t UTF-16BE k.pem >KEY", "this is UTF-16 text"},
		"UTF-32":                 {"yes", openssl + "iconv -f UTF-8 -t UTF-32 k.pem >KEY", "this is UTF-32 text"},
		"UTF-32LE without BOM":   {"yes", openssl + "iconv -f UTF-8 -t UTF-32LE k.pem >KEY", "this is UTF-32 text"},
		"UTF-32BE without BOM":   {"yes", openssl + "iconv -f UTF-8 -t UTF-32BE k.pem >KEY", "this is UTF-32 text"},
		"OpenSSH with BOM":       {"yes", "ssh-keygen -q -t ed25519 -N '' -f k; (printf '\\357\\273\\277'; cat k) >KEY", "this is a private key of OpenSSH"},
		"OpenSSH with CRLF":      {"yes", "ssh-keygen -q -t ecdsa -N '' -f k; sed 's/$/\\r/' k >KEY", "this is a private key of OpenSSH"},
		"DER in hex":             {"yes", openssl + "openssl pkey -in k.pem -outform DER | xxd -p >KEY", "this is a private key in DER in hex, want PEM"},
		"DER in hex with colons": {"yes", ed + "openssl pkey -in k.pem -outform DER | xxd -p | sed 's/../&:/g' >KEY", "this is a private key in DER in hex, want PEM"},
		"PEM in hex":             {"yes", openssl + "xxd -p k.pem >KEY", "this is PEM in hex"},
		"32 bytes in hex":        {"yes", ed + "openssl pkey -in k.pem -outform DER | tail -c 32 | xxd -p -c 64 >KEY", "this is 32 bytes in hex"},
		"base64 with CRLF":       {"yes", openssl + "openssl pkey -in k.pem -outform DER | base64 | sed 's/$/\\r/' >KEY", "DER in base64, want PEM"},
		"base64url":              {"yes", openssl + "openssl pkey -in k.pem -outform DER | base64 -w0 | tr -d = | tr +/ -_ >KEY", "DER in base64, want PEM"},
		"base64 without padding": {"yes", openssl + "openssl pkey -in k.pem -outform DER | base64 | tr -d = >KEY", "DER in base64, want PEM"},
		"quoted":                 {"yes", openssl + `(printf '"'; cat k.pem; printf '"') >KEY`, "the PEM is damaged"},

		"SSH Ed25519":              {"", "ssh-keygen -q -t ed25519 -N '' -f k; mv k.pub KEY", "this is a public key of SSH"},
		"SSH ECDSA":                {"", "ssh-keygen -q -t ecdsa -N '' -f k; mv k.pub KEY", "this is a public key of SSH"},
		"SSH2":                     {"", "ssh-keygen -q -t ecdsa -N '' -f k; ssh-keygen -e -f k.pub >KEY", "this is a public key of SSH"},
		"SSH2 Ed25519":             {"", "ssh-keygen -q -t ed25519 -N '' -f k; ssh-keygen -e -f k.pub >KEY", "this is a public key of SSH"},
		"SSH2 with CRLF":           {"", "ssh-keygen -q -t ed25519 -N '' -f k; ssh-keygen -e -f k.pub | sed 's/$/\\r/' >KEY", "this is a public key of SSH"},
		"SSH with BOM":             {"", "ssh-keygen -q -t ecdsa -N '' -f k; (printf '\\357\\273\\277'; cat k.pub) >KEY", "this is a public key of SSH"},
		"SSH Ed25519 with BOM":     {"", "ssh-keygen -q -t ed25519 -N '' -f k; (printf '\\357\\273\\277'; cat k.pub) >KEY", "this is a public key of SSH"},
		"SSH with CRLF":            {"", "ssh-keygen -q -t rsa -N '' -f k; sed 's/$/\\r/' k.pub >KEY", "this is a public key of SSH"},
		"SSH below a comment":      {"", "ssh-keygen -q -t ecdsa -N '' -f k; (echo '# of ci, not ssh-rsa AAAA'; cat k.pub) >KEY", "this is a public key of SSH"},
		"SSH Ed25519 below one":    {"", "ssh-keygen -q -t ed25519 -N '' -f k; (echo; echo '# of ci'; cat k.pub) >KEY", "this is a public key of SSH"},
		"authorized_keys":          {"", "ssh-keygen -q -t ecdsa -N '' -f k; (printf 'restrict,from=\"10.0.0.0/8,*.acme.example\",command=\"/bin/ci run\" '; cat k.pub) >KEY", "this is a public key of SSH"},
		"authorized_keys Ed25519":  {"", "ssh-keygen -q -t ed25519 -N '' -f k; (printf 'command=\"echo #\" '; cat k.pub) >KEY", "this is a public key of SSH"},
		"known_hosts":              {"", "ssh-keygen -q -t ed25519 -N '' -f k; (printf '[git.acme.example]:22,10.1.1.1 '; cat k.pub) >KEY", "this is a public key of SSH"},
		"known_hosts hashed":       {"", "ssh-keygen -q -t ecdsa -N '' -f k; (printf 'git.acme.example '; cat k.pub) >h; ssh-keygen -q -H -f h 2>/dev/null; mv h KEY", "this is a public key of SSH"},
		"SSH certificate":          {"", "ssh-keygen -q -t ed25519 -N '' -f k; ssh-keygen -q -s k -I x k.pub; mv k-cert.pub KEY", "this is a public key of SSH"},
		"SSH certificate of ECDSA": {"", "ssh-keygen -q -t ecdsa -N '' -f k; ssh-keygen -q -s k -I x k.pub; mv k-cert.pub KEY", "this is a public key of SSH"},
		"public DER in hex":        {"", openssl + "openssl pkey -in k.pem -pubout -outform DER | xxd -p -u | sed 's/../0x&, /g' >KEY", "this is a public key in DER in hex, want PEM"},
		"32 bytes in base64":       {"", ed + "openssl pkey -in k.pem -pubout -outform DER | tail -c 32 | base64 >KEY", "this is 32 bytes in base64"},
		"a point":                  {"", openssl + "openssl pkey -in k.pem -pubout -outform DER | tail -c 65 >KEY", "this is an uncompressed point of P-256, want a public key in PEM"},
		"a point in base64":        {"", openssl + "openssl pkey -in k.pem -pubout -outform DER | tail -c 65 | base64 >KEY", "this is an uncompressed point of P-256 in base64, want"},
		"PEM without its frame":    {"", openssl + "grep -v -- - p.pem >KEY", "this is a public key in DER in base64, want PEM"},
		"public key in mail":       {"", openssl + "sed 's/^/> /' p.pem >KEY", "the PEM is damaged"},
		"certificate with BOM":     {"", cert + "(printf '\\357\\273\\277'; cat c.pem) >KEY", "this is a certificate;"},
		"certificate with CR":      {"", cert + "tr '\\n' '\\r' <c.pem >KEY", "this is a certificate;"},
		"PKCS #12 of old":          {"", cert + "openssl pkcs12 -export -legacy -inkey k.pem -in c.pem -passout pass: -out KEY", "this is a PKCS #12 file"},
		"both, for the private":    {"yes", openssl + "cat p.pem k.pem >KEY", "more than one PEM block"},
		"both, for the public":     {"", openssl + "sed 's/$/\\r/' k.pem p.pem >KEY", "more than one PEM block"},
		"a curve written out":      {"yes", openssl + "openssl pkey -in k.pem -ec_param_enc explicit -out KEY", "whose curve is written out"},
		"one in SEC 1":             {"yes", openssl + "openssl ec -in k.pem -param_enc explicit -out KEY", "whose curve is written out"},
		"one in a public key":      {"", openssl + "openssl pkey -in k.pem -ec_param_enc explicit -pubout -out KEY", "whose curve is written out"},
		"one in public DER":        {"", openssl + "openssl pkey -in k.pem -ec_param_enc explicit -pubout -outform DER -out KEY", "whose curve is written out"},
		"OpenSSH private":          {"", "ssh-keygen -q -t ecdsa -N '' -f KEY", "this is a private key of OpenSSH"},
		"OpenSSH Ed25519 private":  {"", "ssh-keygen -q -t ed25519 -N '' -f KEY", "this is a private key of OpenSSH"},
		"public DER":               {"", openssl + "openssl pkey -in k.pem -pubout -outform DER -out KEY", "this is a public key in DER"},
		"public base64 of DER":     {"", openssl + "openssl pkey -in k.pem -pubout -outform DER | base64 >KEY", "this is a public key in DER in base64, want PEM"},
		"public RSA DER":           {"", "openssl genrsa 2048 2>/dev/null | openssl rsa -RSAPublicKey_out -outform DER -out KEY", "this is an RSA public key in DER"},
		"public UTF-16":            {"", openssl + "iconv -f UTF-8 -t UTF-16 p.pem >KEY", "this is UTF-16 text"},
		"public one line":          {"", openssl + "tr '\\n' ' ' <p.pem >KEY", "the PEM is damaged"},
		"certificate":              {"", cert + "mv c.pem KEY", "this is a certificate;"},
		"certificate in DER":       {"", cert + "openssl x509 -in c.pem -outform DER -out KEY", "this is a certificate in DER"},
		"certificate request":      {"", openssl + "openssl req -new -key k.pem -subj /CN=x -out KEY", "this is a certificate request"},
		"PKCS #7 in DER":           {"", cert + "openssl crl2pkcs7 -nocrl -certfile c.pem -outform DER -out KEY", "this is a PKCS #7 file of certificates in DER"},
		"32 bytes":                 {"", ed + "openssl pkey -in k.pem -pubout -outform DER | tail -c 32 >KEY", "this is 32 bytes, want PEM"},
		"32 bytes, private":        {"yes", ed + "openssl pkey -in k.pem -outform DER | tail -c 32 >KEY", "this is 32 bytes, want PEM"},
		"PKCS #7":                  {"", cert + "openssl crl2pkcs7 -nocrl -certfile c.pem -out KEY", "this is a PKCS #7 file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "a key's file")
			sh(t, dir, strings.ReplaceAll(c.make, "KEY", `'a key'\''s file'`))
			_, err := load(t, file, c.private != "")
			var format *signer.FormatError
			if !errors.As(err, &format) || !strings.Contains(format.Found, c.found) {
				t.Fatalf("%v, want %q", err, c.found)
			}
			if strings.Contains(err.Error(), "asn1") {
				t.Error(err)
			}
			command := strings.Replace(format.Convert("a key's file"), "pkcs12 ", "pkcs12 -passin pass: ", 1)
			made := file + map[bool]string{true: ".key.pem", false: ".pub.pem"}[c.private != ""]
			refusesToOverwrite(t, dir, command, made)
			sh(t, dir, command)
			left, err := filepath.Glob(file + ".*")
			if left = slices.DeleteFunc(left, func(f string) bool { return f == file+".pub" }); err != nil || len(left) != 1 || c.private != "" && readByOthers(made) {
				t.Errorf("%q was left, or others can read it, %v", left, err)
			}
			key, err := load(t, made, c.private != "")
			if err != nil {
				t.Fatalf("after %s: %v", command, err)
			}
			if original, err := os.ReadFile(filepath.Join(dir, "p.pem")); err == nil {
				if want, err := signer.ParsePublicKey(original); err != nil || want.Hint() != key.Hint() {
					t.Errorf("another key: %v", err)
				}
			}
		})
	}
}

// TestConvertEncrypted is TestConvert of a key that openssl has encrypted in the old way, on one line.
func TestConvertEncrypted(t *testing.T) {
	if testing.Short() {
		t.Skip("runs other programs")
	}
	for name, make := range map[string]string{
		"AES": "openssl ec -in k.pem -aes256 -passout pass:pw -out e.pem; tr '\\n' ' ' <e.pem >key",
		"DES": "openssl ec -in k.pem -des3 -passout pass:pw -out e.pem; awk '{printf \"%s\\\\n\", $0}' e.pem >key",
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "key")
		sh(t, dir, "openssl ecparam -name prime256v1 -genkey -noout -out k.pem; "+make)
		parse := func(file string) (signer.Signer, error) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return signer.Parse(data, func() ([]byte, error) { return []byte("pw"), nil })
		}
		_, err := parse(file)
		var format *signer.FormatError
		if !errors.As(err, &format) || !strings.Contains(format.Found, "the PEM is damaged") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sh(t, dir, format.Convert(file))
		if _, err := parse(file + ".key.pem"); err != nil {
			t.Errorf("%s: after %s: %v", name, format.Convert(file), err)
		}
	}
}

// refusesToOverwrite runs a command whose output is there, for all to read, and takes it away again.
func refusesToOverwrite(t *testing.T, dir, command, made string) {
	t.Helper()
	if err := os.WriteFile(made, []byte("another key"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-ec", command)
	c.Dir = dir
	err := c.Run()
	if left, readErr := os.ReadFile(made); err == nil || readErr != nil || string(left) != "another key" {
		t.Errorf("%s: %v, and leaves %q of the file that was there, %v", command, err, left, readErr)
	}
	if err := os.Remove(made); err != nil {
		t.Fatal(err)
	}
}

func readByOthers(file string) bool {
	info, err := os.Stat(file)
	return err != nil || info.Mode().Perm()&0o077 != 0
}

func load(t *testing.T, file string, private bool) (*signer.PublicKey, error) {
	t.Helper()
	if private {
		by, err := signer.Load(ctx, file, nil)
		if err != nil {
			return nil, err
		}
		return by.PublicKey(), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return signer.ParsePublicKey(data)
}

// TestConvertJWK holds the command for JSON Web Keys, which Node knows.
func TestConvertJWK(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	jwk := map[string]string{"kty": "OKP", "crv": "Ed25519", "x": b64(public)}
	publicJWK, _ := json.Marshal(jwk)
	jwk["d"] = b64(private.Seed())
	privateJWK, _ := json.Marshal(jwk)
	dir := t.TempDir()
	want, err := signer.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"public.jwk": publicJWK, "private.jwk": privateJWK} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := load(t, file, name == "private.jwk")
		var format *signer.FormatError
		if !errors.As(err, &format) || !strings.Contains(format.Found, "JSON Web Key") {
			t.Fatal(err)
		}
		sh(t, dir, format.Convert(name))
		if key, err := load(t, file+map[bool]string{true: ".key.pem", false: ".pub.pem"}[name == "private.jwk"], name == "private.jwk"); err != nil || key.Hint() != want.Hint() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := signer.Parse(publicJWK, nil); err == nil || !strings.Contains(err.Error(), "public JSON Web Key") {
		t.Error(err)
	}
}

// TestNamed holds what is said of texts that no tool here makes, or that cannot be converted.
func TestNamed(t *testing.T) {
	for text, want := range map[string]struct{ private, public string }{
		"PuTTY-User-Key-File-3: ssh-ed25519\n":          {"a key of PuTTY", "a private key of PuTTY"},
		"untrusted comment: minisign public key\nRWQ\n": {"minisign", "minisign"},
		"AGE-SECRET-KEY-1QQQ\n":                         {"age", "age"},
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n=aaaa\n-----END PGP PRIVATE KEY BLOCK-----\n": {"PGP", "PGP"},
		"sk-ssh-ed25519@openssh.com AAAA":                 {"SSH's own way", "SSH's own way"},
		"ssh-ed25519 AAAA me":                             {"a public key of SSH; sign with", "a public key of SSH"},
		"ssh-ed25519 AAAA me\necdsa-sha2-nistp256 AAAA\n": {"several lines of SSH public keys", "several lines of SSH public keys"},
		`{"keys":[]}`:                                     {"JWKS", "JWKS"},
		`{"a":1}`:                                         {"this is JSON", "this is JSON"},
		"\xfe\xed\xfe\xed\x00\x00\x00\x02":                {"Java key store", "Java key store"},
		"\x99\x01\x0d\x04aaaa":                            {"PGP", "PGP"},
		"\x30\x03\x02\x01\x01":                            {"DER of some kind", "DER of some kind"},
		"-----BEGIN FOO-----\nAAAA\n-----END FOO-----\n":  {"PEM of type FOO", "PEM of type FOO"},
		"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n": {"no key", "no key"},
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDEKPK":                                     {"a public key of SSH; sign with", "a public key of SSH"}, // cut off
		"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3":                       {"minisign", "minisign"},
		"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n":                          {"the PEM is damaged", "the PEM is damaged"},
		"hello": {"no PEM in it", "not PEM"},
		"":      {"no PEM in it", "not PEM"},
	} {
		if _, err := signer.Parse([]byte(text), nil); err == nil || !strings.Contains(err.Error(), want.private) || !strings.HasPrefix(err.Error(), "private key: ") {
			t.Errorf("%q as a private key: %v", text, err)
		}
		if _, err := signer.ParsePublicKey([]byte(text)); err == nil || !strings.Contains(err.Error(), want.public) || !strings.HasPrefix(err.Error(), "public key: ") {
			t.Errorf("%q as a public key: %v", text, err)
		}
	}
}

// TestAroundTheKey reads a key with what editors and openssl put around it.
func TestAroundTheKey(t *testing.T) {
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}))
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for name, around := range map[string]func(key string) string{
		"byte order mark": func(k string) string { return "\xef\xbb\xbf" + k },
		"CRLF":            crlf,
		"BOM and CRLF":    func(k string) string { return "\xef\xbb\xbf" + crlf(k) },
		"CR":              func(k string) string { return strings.ReplaceAll(k, "\n", "\r") },
		"text before": func(k string) string {
			return "Bag Attributes\n    friendlyName: ci\nKey Attributes: <No Attributes>\n" + k
		},
		"text behind":         func(k string) string { return k + "the key of ci\n" },
		"no last line break":  func(k string) string { return strings.TrimSuffix(k, "\n") },
		"EC parameters first": func(k string) string { return parameters + k },
		"EC parameters last":  func(k string) string { return k + parameters },
	} {
		if key, err := signer.ParsePublicKey([]byte(around(string(pair.Public)))); err != nil || key.Hint() != pair.Key.Hint() {
			t.Errorf("public key, %s: %v", name, err)
		}
		if by, err := signer.Parse([]byte(around(string(pair.Private))), nil); err != nil || by.PublicKey().Hint() != pair.Key.Hint() {
			t.Errorf("private key, %s: %v", name, err)
		}
	}
	if _, err := signer.Parse([]byte(certificate+string(pair.Private)), nil); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	damaged := strings.Replace(string(other.Private), "-----END PRIVATE KEY-----", "", 1)
	for name, text := range map[string]string{
		"two private keys":        string(pair.Private) + string(other.Private),
		"the same key twice":      string(pair.Private) + string(pair.Private),
		"a private and a public":  string(pair.Private) + string(pair.Public),
		"a damaged second key":    string(pair.Private) + damaged,
		"text and two keys":       "text\n" + string(pair.Public) + "text\n" + string(other.Public),
		"parameters and two keys": parameters + string(pair.Public) + parameters + string(other.Public),
	} {
		if _, err := signer.Parse([]byte(text), nil); err == nil {
			t.Errorf("%s: taken for a private key", name)
		}
		if _, err := signer.ParsePublicKey([]byte(text)); err == nil {
			t.Errorf("%s: taken for a public key", name)
		}
	}
	if _, err := signer.ParsePublicKey([]byte(certificate + string(pair.Public))); err == nil {
		t.Error("a public key and a certificate: one of them is another key")
	}
}

// TestUTF16 needs no iconv.
func TestUTF16(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, u := range utf16.Encode([]rune("\ufeff" + string(pair.Public))) {
		text.Write([]byte{byte(u), byte(u >> 8)})
	}
	_, err = signer.ParsePublicKey(text.Bytes())
	var format *signer.FormatError
	if !errors.As(err, &format) {
		t.Fatal(err)
	}
	if got := format.Convert("k.pub"); got != "(umask 077; set -C; : >k.pub.pem && { iconv -f UTF-16 -t UTF-8 k.pub >|k.pub.pem || ! rm k.pub.pem; })" {
		t.Error(got)
	}
}

// TestOtherAlgorithms holds that keys of other kinds are errors, and no panic.
func TestOtherAlgorithms(t *testing.T) {
	p224 := ecdsaKey(t, elliptic.P224())
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	x25519, err := x509.ParsePKCS8PrivateKey(append([]byte{0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20}, make([]byte, 32)...))
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.PrivateKey{"P-224": p224, "RSA 1024": short, "X25519": x25519} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Parse(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
