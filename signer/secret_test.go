package signer_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

// TestPrivateKeyIn holds which texts and files are taken for private keys, and that public ones are not.
func TestPrivateKeyIn(t *testing.T) {
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := signer.Generate(signer.Ed25519, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	private, _ := pem.Decode(pair.Private)
	public, _ := pem.Decode(pair.Public)
	b64 := base64.StdEncoding.EncodeToString
	comment := func(text, head string, size int) string {
		return "untrusted comment: " + text + "\n" + b64(append([]byte(head), make([]byte, size-len(head))...)) + "\n"
	}
	seed := b64(bytes.Repeat([]byte{7}, 32))
	for text, want := range map[string]string{
		string(pair.Private):                                              "a private key in PEM",
		string(locked.Private):                                            "a private key in PEM",
		"ci=" + string(pair.Private):                                      "a private key in PEM",
		strings.ReplaceAll(string(pair.Private), "\n", `\n`):              "a private key in PEM",
		b64(pair.Private):                                                 "a private key in base64",
		string(private.Bytes):                                             "a private key in DER",
		b64(private.Bytes):                                                "a private key in DER",
		hex.EncodeToString(private.Bytes):                                 "a private key in DER",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\n":                         "a private key of PGP",
		"# created: 2026\nAGE-SECRET-KEY-PQ-1QQ\n":                        "a private key of age",
		comment("minisign encrypted secret key", "EdScB2", 158):           "a private key of minisign",
		b64(append([]byte("EdBK"), make([]byte, 100)...)):                 "a private key of signify",
		`{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"c"}`:              "a private JSON Web Key",
		`{"keys":[{"kty":"oct","k":"c"}]}`:                                "a private JSON Web Key",
		"[Interface]\nPrivateKey = " + seed + "\nAddress = 10.0.0.1/24\n": "a private key of WireGuard",
		"openssh-key-v1\x00 and more of it":                               "a private key of OpenSSH",
		"\xfe\xed\xfe\xed\x00\x00\x00\x02 and more":                       "a Java key store",
		"\x94\x58\x04\x6a\x00\x00\x00\x16 and more of it":                 "a private key of PGP",

		"": "",
		"a text about PrivateKey = x and a PRIVATE KEY":   "",
		string(pair.Public):                               "",
		string(public.Bytes):                              "",
		b64(public.Bytes):                                 "",
		comment("minisign public key", "Ed", 42):          "",
		`{"kty":"EC","crv":"P-256","x":"a","y":"b"}`:      "",
		"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zm":    "",
		"\x98\x58\x04\x6a\x00\x00\x00\x16 and more of it": "",
		seed: "", // can be a digest
	} {
		if got := signer.PrivateKeyIn([]byte(text)); got != want {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}

// TestForeignKeys holds that what other programs keep is called what it is, with a next step that is not a guess.
func TestForeignKeys(t *testing.T) {
	b64url := base64.RawURLEncoding.EncodeToString
	header := b64url([]byte(`{"alg":"ES256"}`))
	for text, want := range map[string]string{
		"-----BEGIN PGP SIGNATURE-----\n\nx\n":                                                             "this is a PGP signature",
		"-----BEGIN PGP MESSAGE-----\n\nx\n":                                                               "this is a PGP message",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n":                                                      "this is a PGP key",
		"# mine\nAGE-SECRET-KEY-PQ-1QQ\n":                                                                  "this is a key of age",
		"age-encryption.org/v1\n-> scrypt x 18\n":                                                          "this is a file that age has encrypted",
		"my key\n" + base64.StdEncoding.EncodeToString(append([]byte("Ed"), make([]byte, 40)...)):          "this is a key of minisign or signify",
		"SSH PRIVATE KEY FILE FORMAT 1.1\n\x00\x00":                                                        "this is a key of SSH 1",
		"[Interface]\nPrivateKey = x\n":                                                                    "this is a configuration of WireGuard",
		"[default]\naws_secret_access_key = x\n":                                                           "these are credentials of AWS",
		`{"AccessKey": {"SecretAccessKey": "x"}}`:                                                          "these are credentials of AWS",
		"User name,Access key ID,Secret access key\n":                                                      "these are credentials of AWS",
		`{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\nx\n","client_email":"a@b"}`: "these are credentials of Google Cloud",
		"apiVersion: v1\nkind: Config\nclusters: []\n":                                                     "this is a kubeconfig",
		"apiVersion: v1\nkind: Secret\ndata: {}\n":                                                         "this is a Secret of Kubernetes",
		header + "." + b64url([]byte("{}")) + ".c2ln":                                                      "this is a JSON Web Token",
		header + ".a.b.c.d":                                                                                "this is encrypted as JSON Web Encryption (JWE)",
		"# mine\nexport OPENAI_API_KEY=sk-x\n":                                                             "these are lines NAME=VALUE",
		`{"protected":"x","ciphertext":"y","tag":"z"}`:                                                     "this is encrypted as JSON Web Encryption (JWE)",
		`{"kty":"oct","k":"x"}`:                                                                            "this is a JSON Web Key of the kind oct",
		`{"kty":"OKP","crv":"X25519","d":"x"}`:                                                             "this is a JSON Web Key of the kind OKP X25519",
		`{"kty":"EC","crv":"secp256k1","d":"x"}`:                                                           "this is a JSON Web Key over secp256k1",
		"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n":                                         "this is a list of revoked certificates",
		"\xce\xce\xce\xce\x00\x00\x00\x02":                                                                 "this is a Java key store",
		"0+" + strings.Repeat("A", 42) + "=\n":                                                             "not PEM", // begins as DER does
	} {
		_, err := signer.ParsePublicKey([]byte(text))
		var format *signer.FormatError
		if !errors.As(err, &format) {
			t.Errorf("%.60q: %v", text, err)
			continue
		}
		if !strings.Contains(format.Found, want) {
			t.Errorf("%.60q: %s, want %s", text, format.Found, want)
		}
		if known := !strings.HasPrefix(want, "not PEM"); format.Known() != known {
			t.Errorf("%.60q: known %v, want %v", text, format.Known(), known)
		}
	}
}
