package sigstore

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// TestRefusedEntries: what sigstore-go refuses in an entry of a trusted root is named with the entry.
func TestRefusedEntries(t *testing.T) {
	_, text := madeRoot(t)
	var made prototrustroot.TrustedRoot
	if err := protojson.Unmarshal(text, &made); err != nil {
		t.Fatal(err)
	}
	const rekor = "tlogs[1]: https://rekor.acme.example: "
	key := func(edit func(*protocommon.PublicKey)) func(*prototrustroot.TrustedRoot) {
		return func(r *prototrustroot.TrustedRoot) { edit(r.Tlogs[1].PublicKey) }
	}
	details := func(d protocommon.PublicKeyDetails) func(*prototrustroot.TrustedRoot) {
		return key(func(k *protocommon.PublicKey) { k.KeyDetails = d })
	}
	long, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := x509.MarshalPKIXPublicKey(long.Public())
	if err != nil {
		t.Fatal(err)
	}
	for says, edit := range map[string]func(*prototrustroot.TrustedRoot){
		rekor + "its key is of kind ecdsa-p256, and its keyDetails are PKIX_ED25519, want PKIX_ECDSA_P256_SHA_256":                  details(protocommon.PublicKeyDetails_PKIX_ED25519),
		rekor + "its key is of kind ecdsa-p256, and its keyDetails are PKIX_RSA_PKCS1V15_2048_SHA256, want PKIX_ECDSA_P256_SHA_256": details(protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256),
		rekor + "its key is of kind ecdsa-p256, and its keyDetails are PKIX_ED25519_PH, want PKIX_ECDSA_P256_SHA_256":               details(protocommon.PublicKeyDetails_PKIX_ED25519_PH),
		rekor + "its key is of kind ecdsa-p256, and its keyDetails are PUBLIC_KEY_DETAILS_UNSPECIFIED, want PKIX_ECDSA_P256_SHA_256": details(
			protocommon.PublicKeyDetails_PUBLIC_KEY_DETAILS_UNSPECIFIED),
		rekor + "publicKey.rawBytes is not an RSA key as PKCS #1 has it in DER, which its keyDetails PKCS1_RSA_PKCS1V5 name": details(
			//lint:ignore SA1019 deprecated, and read
			protocommon.PublicKeyDetails_PKCS1_RSA_PKCS1V5),
		"tlogs[0]: https://rekor.acme.example: its key is of kind rsa-3072, and its keyDetails are PKIX_ECDSA_P256_SHA_256, want PKIX_RSA_PKCS1V15_3072_SHA256": func(r *prototrustroot.TrustedRoot) {
			r.Tlogs[0].PublicKey.RawBytes, r.Tlogs[0].PublicKey.KeyDetails = rsaKey, protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
		},
		"ctlogs[0]: its key is of kind rsa-3072, and its keyDetails are PKIX_ED25519, want PKIX_RSA_PKCS1V15_3072_SHA256": func(r *prototrustroot.TrustedRoot) {
			r.Ctlogs[0].PublicKey.RawBytes, r.Ctlogs[0].PublicKey.KeyDetails, r.Ctlogs[0].BaseUrl = rsaKey, protocommon.PublicKeyDetails_PKIX_ED25519, ""
		},
		rekor + "publicKey.rawBytes is not a public key in DER (SubjectPublicKeyInfo)": key(func(k *protocommon.PublicKey) { k.RawBytes = k.RawBytes[1:] }),
		rekor + "has no publicKey.rawBytes":                                            key(func(k *protocommon.PublicKey) { k.RawBytes = nil }),
		rekor + "has no publicKey.validFor":                                            key(func(k *protocommon.PublicKey) { k.ValidFor = nil }),
		rekor + "has no publicKey.validFor.start":                                      key(func(k *protocommon.PublicKey) { k.ValidFor.Start = nil }),
		rekor + "hashAlgorithm is SHA2_512, want SHA2_256": func(r *prototrustroot.TrustedRoot) {
			r.Tlogs[1].HashAlgorithm = protocommon.HashAlgorithm_SHA2_512
		},
		"certificateAuthorities[1]: https://fulcio.acme.example: has no certificates in certChain": func(r *prototrustroot.TrustedRoot) { r.CertificateAuthorities[1].CertChain = nil },
		"timestampAuthorities[0]: https://tsa.acme.example: has no certificates in certChain":      func(r *prototrustroot.TrustedRoot) { r.TimestampAuthorities[0].CertChain.Certificates = nil },
		"certificateAuthorities[0]: https://fulcio.acme.example: certificate 1: x509: malformed certificate": func(r *prototrustroot.TrustedRoot) {
			r.CertificateAuthorities[0].CertChain.Certificates[0].RawBytes = []byte{0, 1}
		},
	} {
		spec := proto.Clone(&made).(*prototrustroot.TrustedRoot)
		edit(spec)
		edited, err := protojson.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseTrustedRoot(edited); err == nil || err.Error() != "trusted root: "+says {
			t.Errorf("got  %v\nwant trusted root: %s", err, says)
		}
		line := append(append(lineOf(t, acmeRoot(t)), '\n'), edited...)
		if _, err := ParseTrustedRoot(line); err == nil || err.Error() != "trusted root: line 2: "+says {
			t.Errorf("got  %v\nwant trusted root: line 2: %s", err, says)
		}
	}
}
