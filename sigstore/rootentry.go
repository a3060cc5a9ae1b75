package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"

	"github.com/runattest/runattest/internal/ecpoint"
	"github.com/runattest/runattest/signer"
)

// sigstore-go refuses a trusted root for one entry of it, and names neither the entry nor, for some, what is wrong.

// refusedEntry names the first entry for which sigstore-go refuses a trusted root, and what is wrong with it; nil where it finds none.
func refusedEntry(spec *prototrustroot.TrustedRoot) error {
	for _, list := range []struct {
		name string
		logs []*prototrustroot.TransparencyLogInstance
	}{{"tlogs", spec.GetTlogs()}, {"ctlogs", spec.GetCtlogs()}} {
		for i, l := range list.logs {
			if err := checkLogEntry(l); err != nil {
				return refused(list.name, i, l.GetBaseUrl(), err)
			}
		}
	}
	for _, list := range []struct {
		name        string
		authorities []*prototrustroot.CertificateAuthority
	}{{"certificateAuthorities", spec.GetCertificateAuthorities()}, {"timestampAuthorities", spec.GetTimestampAuthorities()}} {
		for i, a := range list.authorities {
			if err := checkChainEntry(a.GetCertChain().GetCertificates()); err != nil {
				return refused(list.name, i, a.GetUri(), err)
			}
		}
	}
	return nil
}

func refused(list string, i int, url string, err error) error {
	if url == "" {
		return fmt.Errorf("%s[%d]: %w", list, i, err)
	}
	return fmt.Errorf("%s[%d]: %s: %w", list, i, url, err)
}

func checkChainEntry(chain []*protocommon.X509Certificate) error {
	if len(chain) == 0 {
		return errors.New("has no certificates in certChain")
	}
	for i, c := range chain {
		if err := ecpoint.OfCertificate(c.GetRawBytes()).Err(); err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
		if _, err := x509.ParseCertificate(c.GetRawBytes()); err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
	}
	return nil
}

// checkLogEntry tells apart all for which sigstore-go refuses a log.
func checkLogEntry(l *prototrustroot.TransparencyLogInstance) error {
	if got := l.GetHashAlgorithm(); got != protocommon.HashAlgorithm_SHA2_256 {
		return fmt.Errorf("hashAlgorithm is %s, want SHA2_256", got)
	}
	key := l.GetPublicKey()
	if key.GetRawBytes() == nil {
		return errors.New("has no publicKey.rawBytes")
	}
	if err := ecpoint.OfKey(key.GetRawBytes()).Err(); err != nil {
		return err
	}
	if err := checkDetails(key); err != nil {
		return err
	}
	switch valid := key.GetValidFor(); {
	case valid == nil:
		return errors.New("has no publicKey.validFor")
	case valid.GetStart() == nil:
		return errors.New("has no publicKey.validFor.start")
	}
	return nil
}

// checkDetails checks that the key is of the kind that its details name.
func checkDetails(k *protocommon.PublicKey) error {
	details := k.GetKeyDetails()
	//lint:ignore SA1019 deprecated, and used by Sigstore's staging instance
	if details == protocommon.PublicKeyDetails_PKCS1_RSA_PKCS1V5 {
		if _, err := x509.ParsePKCS1PublicKey(k.GetRawBytes()); err != nil {
			return fmt.Errorf("publicKey.rawBytes is not an RSA key as PKCS #1 has it in DER, which its keyDetails %s name", details)
		}
		return nil
	}
	key, err := x509.ParsePKIXPublicKey(k.GetRawBytes())
	if err != nil {
		if _, pkcs1 := x509.ParsePKCS1PublicKey(k.GetRawBytes()); pkcs1 == nil {
			return fmt.Errorf("publicKey.rawBytes is an RSA key as PKCS #1 has it, and its keyDetails are %s, want PKCS1_RSA_PKCS1V5", details)
		}
		return errors.New("publicKey.rawBytes is not a public key in DER (SubjectPublicKeyInfo)")
	}
	public, err := signer.NewPublicKey(key)
	if err != nil {
		return err
	}
	if ofKind(details, key) {
		return nil
	}
	want, ok := keyDetails[public.Algorithm()]
	if !ok { // RSA of another length, which sigstore-go reads under each of them
		want = keyDetails[signer.RSA2048]
	}
	return fmt.Errorf("its key is of kind %s, and its keyDetails are %s, want %s", public.Algorithm(), details, want)
}

// ofKind says whether sigstore-go reads a key under the details: of a kind, it takes every length and curve under those of any.
func ofKind(details protocommon.PublicKeyDetails, key crypto.PublicKey) bool {
	readable := func(prefix string) bool {
		for _, known := range keyDetails {
			if known == details && strings.HasPrefix(known.String(), prefix) {
				return true
			}
		}
		return false
	}
	switch key.(type) {
	case *ecdsa.PublicKey:
		return readable("PKIX_ECDSA_")
	case ed25519.PublicKey:
		return readable("PKIX_ED25519")
	case *rsa.PublicKey:
		return readable("PKIX_RSA_")
	}
	return false
}
