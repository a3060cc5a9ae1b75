package signer

import (
	"encoding/asn1"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// algorithmNames are names of algorithms that are not read, as openssl calls them.
var algorithmNames = map[string]string{
	"1.2.840.113549.1.5.1":      "PBE-MD2-DES",
	"1.2.840.113549.1.5.3":      "PBE-MD5-DES",
	"1.2.840.113549.1.5.4":      "PBE-MD2-RC2-64",
	"1.2.840.113549.1.5.6":      "PBE-MD5-RC2-64",
	"1.2.840.113549.1.5.10":     "PBE-SHA1-DES",
	"1.2.840.113549.1.5.11":     "PBE-SHA1-RC2-64",
	"1.2.840.113549.1.12.1.1":   "PBE-SHA1-RC4-128",
	"1.2.840.113549.1.12.1.2":   "PBE-SHA1-RC4-40",
	"1.2.840.113549.1.12.1.3":   "PBE-SHA1-3DES",
	"1.2.840.113549.1.12.1.4":   "PBE-SHA1-2DES",
	"1.2.840.113549.1.12.1.5":   "PBE-SHA1-RC2-128",
	"1.2.840.113549.1.12.1.6":   "PBE-SHA1-RC2-40",
	"1.3.14.3.2.7":              "des-cbc",
	"1.2.840.113549.3.4":        "rc4",
	"1.2.840.113549.3.8":        "rc5-cbc",
	"1.3.6.1.4.1.3029.1.2":      "bf-cbc",
	"1.2.840.113533.7.66.10":    "cast5-cbc",
	"1.3.6.1.4.1.188.7.1.1.2":   "idea-cbc",
	"1.2.840.113549.3.2":        "rc2-cbc",
	"1.2.392.200011.61.1.1.1.2": "camellia-128-cbc",
	"1.2.392.200011.61.1.1.1.3": "camellia-192-cbc",
	"1.2.392.200011.61.1.1.1.4": "camellia-256-cbc",
	"1.2.410.200046.1.1.2":      "aria-128-cbc",
	"1.2.410.200046.1.1.7":      "aria-192-cbc",
	"1.2.410.200046.1.1.12":     "aria-256-cbc",
	"1.2.410.200004.1.4":        "seed-cbc",
	"1.2.156.10197.1.104.2":     "sm4-cbc",
	"2.16.840.1.101.3.4.1.6":    "aes-128-gcm",
	"2.16.840.1.101.3.4.1.26":   "aes-192-gcm",
	"2.16.840.1.101.3.4.1.46":   "aes-256-gcm",
	"2.16.840.1.101.3.4.2.13":   "hmacWithSHA3-224",
	"2.16.840.1.101.3.4.2.14":   "hmacWithSHA3-256",
	"2.16.840.1.101.3.4.2.15":   "hmacWithSHA3-384",
	"2.16.840.1.101.3.4.2.16":   "hmacWithSHA3-512",
}

func nameOf(oid asn1.ObjectIdentifier) string {
	if name, ok := algorithmNames[oid.String()]; ok {
		return name
	}
	return "algorithm " + oid.String()
}

// current matches the names of what openssl 3 decrypts without its legacy provider.
var current = lazyregexp.New(`(?i)^"?(PBE-SHA1-[23]DES|camellia|aria|sm4|aes|hmac|algorithm 2\.16\.840\.1\.101\.3\.4\.)`)

// reencrypt is the command that encrypts a key anew; name is how it is encrypted, in is the option that names its file.
func reencrypt(name, in string) string {
	providers := ""
	if name != "" && !current.MatchString(name) {
		providers = "-provider legacy -provider default "
	}
	return "openssl pkcs8 -topk8 " + providers + in
}

// notRead is the error for a key that is encrypted in a way that this package does not read: how, and by that name.
func notRead(how, name string) error {
	return &FormatError{wantPrivate, "is encrypted " + how + name + ", which is not read", writing(reencrypt(name, "-in FILE"))}
}

// encryptionOf is the name of how a PKCS #8 key is encrypted, or "" for a cipher that this package reads.
func encryptionOf(der []byte) string {
	key, err := parseEncryptedKey(der)
	if err != nil {
		return ""
	}
	var scheme pbes2
	switch {
	case !key.Algorithm.Algorithm.Equal(oidPBES2) || !unmarshal(key.Algorithm.Parameters, &scheme):
		return nameOf(key.Algorithm.Algorithm)
	case ciphers[scheme.Cipher.Algorithm.String()].keySize > 0:
		return ""
	}
	return nameOf(scheme.Cipher.Algorithm)
}
