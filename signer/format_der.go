package signer

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"

	"github.com/runattest/runattest/internal/ecpoint"
)

const pkcs12Head = 3 // its version

// javaStores are the formats of keytool before PKCS #12, by how they begin, with the option that it wants to read them.
var javaStores = []struct {
	head   []byte
	option string
}{
	{[]byte{0xfe, 0xed, 0xfe, 0xed}, ""},
	{[]byte{0xce, 0xce, 0xce, 0xce}, "-srcstoretype JCEKS "},
}

func isJavaStore(data []byte) bool {
	return bytes.HasPrefix(data, javaStores[0].head) || bytes.HasPrefix(data, javaStores[1].head)
}

// oidSignedData is the content of a PKCS #7 file of certificates (RFC 5652, section 5.1).
var oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

const (
	javaStore   = "this is a Java key store"
	revocations = "this is a list of revoked certificates"
	noKey       = ", which holds no key"
)

// recognizeDER tells what binary data is.
func recognizeDER(want string, data []byte) (finding, bool) {
	private := func(found, command string) (finding, bool) {
		if want == wantPublic {
			return finding{found: found + "; give the public key"}, true
		}
		return finding{found, writing(command)}, true
	}
	public := func(found, command string) (finding, bool) {
		if want == wantPrivate {
			return finding{found: found + "; sign with the private key"}, true
		}
		return finding{found, writing(command)}, true
	}
	for _, store := range javaStores {
		if bytes.HasPrefix(data, store.head) {
			command := "keytool -importkeystore " + store.option + "-srckeystore FILE -deststoretype PKCS12 -destkeystore NEW"
			return finding{javaStore, way{form: makes, text: command, suffix: ".p12"}}, true
		}
	}
	var outer asn1.RawValue
	if rest, err := asn1.Unmarshal(data, &outer); err != nil || len(rest) > 0 || outer.Tag != asn1.TagSequence {
		return recognizeBinary(data)
	}
	if s, ok := otherKind(want, data, "-inform DER -in FILE"); ok {
		return s, true
	}
	if _, err := x509.ParsePKIXPublicKey(data); err == nil {
		return public("this is a public key in DER, want PEM", "openssl pkey -pubin -inform DER -in FILE -pubout")
	}
	if _, err := x509.ParsePKCS1PublicKey(data); err == nil {
		return public("this is an RSA public key in DER, want PEM", "openssl rsa -RSAPublicKey_in -inform DER -in FILE -pubout")
	}
	if _, err := x509.ParseCertificate(data); err == nil || ecpoint.OfCertificate(data) != "" {
		return certificate(want, "this is a certificate in DER", "openssl x509 -inform DER -in FILE -pubkey -noout"), true
	}
	if _, err := x509.ParseCertificateRequest(data); err == nil {
		return certificate(want, "this is a certificate request in DER", "openssl req -inform DER -in FILE -pubkey -noout"), true
	}
	if isPrivateDER(data) {
		return private("this is a private key in DER, want PEM", "openssl pkey -inform DER -in FILE")
	}
	if _, err := parseEncryptedKey(data); err == nil {
		return private("this is an encrypted private key in DER, want PEM", reencrypt(encryptionOf(data), "-inform DER -in FILE"))
	}
	if isPKCS12(data) {
		command := "openssl pkcs12 " + legacyPKCS12(data) + "-in FILE"
		if want == wantPublic {
			return finding{"this is a PKCS #12 file", writing(command + " -nokeys -clcerts | openssl x509 -pubkey -noout")}, true
		}
		return finding{"this is a PKCS #12 file", writing(command + " -nocerts")}, true
	}
	if _, err := x509.ParseRevocationList(data); err == nil {
		return finding{found: revocations + " in DER" + noKey}, true
	}
	var content struct {
		Type asn1.ObjectIdentifier
		Data asn1.RawValue
	}
	if _, err := asn1.Unmarshal(data, &content); err == nil && content.Type.Equal(oidSignedData) {
		return certificate(want, "this is a PKCS #7 file of certificates in DER", "openssl pkcs7 -inform DER -in FILE -print_certs | openssl x509 -pubkey -noout"), true
	}
	return finding{found: "this is DER of some kind, want a key in PEM"}, true
}

// isPKCS12 knows a file of RFC 7292 by its version and the type behind it.
func isPKCS12(data []byte) bool {
	var file struct {
		Version int
		Content struct{ Type asn1.ObjectIdentifier }
	}
	_, err := asn1.Unmarshal(data, &file)
	return err == nil && file.Version == pkcs12Head
}

func isPrivateDER(data []byte) bool {
	_, pkcs8 := x509.ParsePKCS8PrivateKey(data)
	_, sec1 := x509.ParseECPrivateKey(data)
	_, pkcs1 := x509.ParsePKCS1PrivateKey(data)
	return pkcs8 == nil || sec1 == nil || pkcs1 == nil
}

// recognizeBinary knows the first bytes of PGP keys (RFC 9580, section 4.2).
func recognizeBinary(data []byte) (finding, bool) {
	if len(data) > 3 && len(data) != 32 && bytes.IndexByte([]byte{0x94, 0x95, 0x98, 0x99, 0xc5, 0xc6}, data[0]) >= 0 {
		return finding{"this looks like a PGP key, which cannot be converted; make a key pair", makeKeys}, true
	}
	return finding{}, false
}

func certificate(want, found, command string) finding {
	if want == wantPrivate {
		return finding{found: found + "; sign with the private key"}
	}
	return finding{found + "; give the public key that it certifies", writing(command)}
}

// legacyPKCS12 is the option of openssl 3 for a file with encryptions that only its legacy provider knows: RC2 and RC4 of
// PKCS #12 (RFC 7292, appendix C), as Windows and Java wrote them.
func legacyPKCS12(data []byte) string {
	for _, number := range []byte{1, 2, 5, 6} {
		if bytes.Contains(data, []byte{6, 10, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, number}) {
			return "-legacy "
		}
	}
	return ""
}

// recognizeRaw knows the sizes of keys without any format, which are in that encoding, or in none.
func recognizeRaw(want string, data []byte, encoding string) (finding, bool) {
	switch {
	case len(data) == 42 && strings.EqualFold(string(data[:2]), "ed"):
		return finding{"this is a key of minisign or signify, which cannot be converted; make a key pair", makeKeys}, true
	case len(data) != 32:
		return recognizePoint(want, data, encoding)
	}
	found := "this is 32 bytes" + encoding + ", want PEM; they can be an Ed25519 key"
	if want == wantPublic {
		return finding{found, writing(ed25519PEM("cat FILE"))}, true
	}
	return finding{found, writing("(" + privateHead + "; cat FILE) | openssl pkey -inform DER")}, true
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
		return certificate(want, "this is a certificate", "openssl x509 -in FILE -pubkey -noout")
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return certificate(want, "this is a certificate request", "openssl req -in FILE -pubkey -noout")
	case "PKCS7", "CMS":
		return certificate(want, "this is a PKCS #7 file of certificates", "openssl pkcs7 -in FILE -print_certs | openssl x509 -pubkey -noout")
	case "X509 CRL":
		return finding{found: revocations + noKey}
	case "DSA PRIVATE KEY":
		return finding{"this is a DSA key" + wanted, makeKeys}
	case "EC PARAMETERS", "DSA PARAMETERS", "DH PARAMETERS":
		return finding{found: "holds " + kind + " and no key"}
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return finding{found: "this is a public key; sign with the private one, which ends in .key"}
	default:
		if isPrivate(kind) && want == wantPublic {
			return finding{"this is a private key; give the public one, which ends in .pub", publicOf}
		}
		return finding{found: "PEM of type " + strings.ToValidUTF8(kind, "?") + ", which is not read"}
	}
}
