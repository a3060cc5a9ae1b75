package sigstore

import (
	"bytes"
	"crypto"
	"crypto/sha1" // of ESSCertID, which names a certificate and signs nothing
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/digitorus/pkcs7"

	"github.com/runattest/runattest/internal/limits"
)

// certificateID is an ESSCertID (RFC 2634) or ESSCertIDv2 (RFC 5035).
type certificateID struct {
	hash   crypto.Hash
	digest []byte
	issuer []byte // of the IssuerSerial; nil without
	serial *big.Int
}

var (
	oidSigningCertificate   = oid(1, 2, 840, 113549, 1, 9, 16, 2, 12)
	oidSigningCertificateV2 = oid(1, 2, 840, 113549, 1, 9, 16, 2, 47)
)

// signatureAlgorithms are those that the library verifies, with the digest that the signer must state besides: that of the
// signature itself (RFC 8933, section 3), and for Ed25519 the one of RFC 8419, section 3.1. 0 is any of strongHashes.
var signatureAlgorithms = map[string]crypto.Hash{
	pkcs7.OIDEncryptionAlgorithmRSA.String():        0,
	pkcs7.OIDEncryptionAlgorithmRSASHA256.String():  crypto.SHA256,
	pkcs7.OIDEncryptionAlgorithmRSASHA384.String():  crypto.SHA384,
	pkcs7.OIDEncryptionAlgorithmRSASHA512.String():  crypto.SHA512,
	pkcs7.OIDDigestAlgorithmECDSASHA256.String():    crypto.SHA256,
	pkcs7.OIDDigestAlgorithmECDSASHA384.String():    crypto.SHA384,
	pkcs7.OIDDigestAlgorithmECDSASHA512.String():    crypto.SHA512,
	pkcs7.OIDEncryptionAlgorithmEDDSA25519.String(): crypto.SHA512,
}

// readSigner wants a strong signature, over attributes that bind the content and the signer's certificate.
func (t *token) readSigner(v asn1.RawValue) error {
	s, err := readSequence("the signer", v.FullBytes)
	if err != nil {
		return err
	}
	var version int
	s.take("the version", asn1.TagInteger, &version)
	if len(s.rest) > 0 && s.rest[0].Class == asn1.ClassContextSpecific {
		return errors.New("the token names its signer by the identifier of a key, which is not supported: want issuer and serial number")
	}
	sid := s.sequence("the issuer and serial number")
	digest := s.algorithm("the digest algorithm")
	attributes, _ := s.optional(asn1.ClassContextSpecific, 0)
	algorithm := s.algorithm("the signature algorithm")
	s.skip("the signature", asn1.TagOctetString)
	s.optional(asn1.ClassContextSpecific, 1) // unsigned attributes
	if err := s.end(); err != nil {
		return err
	}
	t.issuer = sid.skip("the issuer", asn1.TagSequence).FullBytes
	sid.take("the serial number", asn1.TagInteger, &t.serial)
	if err := sid.end(); err != nil {
		return err
	}
	if version != 1 {
		return fmt.Errorf("the signer is of version %d, want 1, as one that is named by issuer and serial number (RFC 5652, section 5.3)", version)
	}
	hash, err := digestOf(digest, algorithm)
	if err != nil {
		return err
	}
	return t.readAttributes(attributes.Bytes, hash)
}

// digestOf is the digest of the signer, which the signature algorithm must go with.
func digestOf(digest, algorithm pkix.AlgorithmIdentifier) (crypto.Hash, error) {
	hash, ok := strongHashes[digest.Algorithm.String()]
	if !ok {
		return 0, fmt.Errorf("the token is signed with %s, want SHA-256, SHA-384 or SHA-512", algorithmName(digest.Algorithm))
	}
	want, ok := signatureAlgorithms[algorithm.Algorithm.String()]
	if !ok {
		return 0, fmt.Errorf("the token is signed with %s, which is not supported: want ECDSA, RSA (PKCS #1 v1.5) or Ed25519 with SHA-256, SHA-384 or SHA-512", algorithmName(algorithm.Algorithm))
	}
	if want != 0 && hash != want {
		return 0, fmt.Errorf("the token's digest is %s, want %s, which goes with its signature", hash, want)
	}
	if hasParameters(digest) || hasParameters(algorithm) {
		return 0, errors.New("the digest or the signature of the token has parameters, want none")
	}
	return hash, nil
}

// readAttributes wants the signed attributes that RFC 5652, section 5.3, and RFC 5816 demand, each once.
func (t *token) readAttributes(der []byte, hash crypto.Hash) error {
	all, err := elements(der)
	if err != nil {
		return fmt.Errorf("the signed attributes: %w", err)
	}
	if len(all) == 0 {
		return errors.New("the token has no signed attributes: nothing binds the content's type and the signer's certificate")
	}
	values := map[string]asn1.RawValue{}
	for _, v := range all {
		a, err := readSequence("a signed attribute", v.FullBytes)
		if err != nil {
			return err
		}
		var kind asn1.ObjectIdentifier
		a.take("the type", asn1.TagOID, &kind)
		set := a.skip("the values", asn1.TagSet)
		if err := a.end(); err != nil {
			return err
		}
		found, err := elements(set.Bytes)
		if _, twice := values[kind.String()]; twice || err != nil || len(found) != 1 {
			return fmt.Errorf("the signed attribute %s stands twice, or has not one value", kind)
		}
		values[kind.String()] = found[0]
	}
	var kind asn1.ObjectIdentifier
	if err := exactly(values[pkcs7.OIDAttributeContentType.String()], &kind); err != nil || !kind.Equal(oidTSTInfo) {
		return errors.New("the signed attribute content-type is missing or not that of timestamp info")
	}
	var digest []byte
	if err := exactly(values[pkcs7.OIDAttributeMessageDigest.String()], &digest); err != nil || !bytes.Equal(digest, sum(hash, t.content)) {
		return errors.New("the signed attribute message-digest is missing or not that of the content")
	}
	v1, ok1 := values[oidSigningCertificate.String()]
	v2, ok2 := values[oidSigningCertificateV2.String()]
	if !ok1 && !ok2 {
		return errors.New("no signed attribute names the signer's certificate (ESSCertID or ESSCertIDv2)")
	}
	if ok1 {
		if err := t.readCertificateID(v1, false); err != nil {
			return fmt.Errorf("the signed attribute signing-certificate: %w", err)
		}
	}
	if ok2 {
		if err := t.readCertificateID(v2, true); err != nil {
			return fmt.Errorf("the signed attribute signing-certificate-v2: %w", err)
		}
	}
	return nil
}

// readCertificateID reads the first of the certificates, which is the signer's.
func (t *token) readCertificateID(v asn1.RawValue, v2 bool) error {
	s, err := readSequence("it", v.FullBytes)
	if err != nil {
		return err
	}
	list := s.skip("the certificates", asn1.TagSequence)
	s.optional(asn1.ClassUniversal, asn1.TagSequence) // policies, which are hints for people
	if err := s.end(); err != nil {
		return err
	}
	all, err := elements(list.Bytes)
	if err != nil || len(all) == 0 {
		return errors.New("names no certificate")
	}
	first, err := readSequence("the certificate", all[0].FullBytes)
	if err != nil {
		return err
	}
	id := certificateID{hash: crypto.SHA1}
	if v2 {
		id.hash = crypto.SHA256
		if len(first.rest) > 0 && first.rest[0].Tag == asn1.TagSequence {
			algorithm := first.algorithm("the hash algorithm").Algorithm
			var ok bool
			if id.hash, ok = strongHashes[algorithm.String()]; !ok {
				return fmt.Errorf("%s, want SHA-256, SHA-384 or SHA-512", algorithmName(algorithm))
			}
		}
	}
	first.take("the digest", asn1.TagOctetString, &id.digest)
	if first.err == nil && len(first.rest) > 0 {
		by := first.sequence("the issuer and serial number")
		names := by.skip("the issuer", asn1.TagSequence)
		by.take("the serial number", asn1.TagInteger, &id.serial)
		if err := by.end(); err != nil {
			return err
		}
		id.issuer = names.Bytes
	}
	if err := first.end(); err != nil {
		return err
	}
	t.certificate = append(t.certificate, id)
	return nil
}

// signer is the certificate of the token's signer, among those that it carries and the one that the trusted root has: the one that the
// signed attributes name, since others can be added that have its issuer and serial number.
func (t *token) signer(known *x509.Certificate) *x509.Certificate {
	all := t.certificates
	if known != nil {
		all = append(all[:len(all):len(all)], known)
	}
	var first *x509.Certificate
	for _, c := range all {
		if c.SerialNumber.Cmp(t.serial) != 0 || !bytes.Equal(c.RawIssuer, t.issuer) {
			continue
		}
		if t.identifies(c) {
			return c
		}
		if first == nil {
			first = c
		}
	}
	return first
}

// identifies says that the signed attributes name no other certificate than this one (ESSCertID).
func (t *token) identifies(c *x509.Certificate) bool {
	for _, id := range t.certificate {
		digest := sha1Sum(c.Raw)
		if id.hash != crypto.SHA1 {
			digest = sum(id.hash, c.Raw)
		}
		if !bytes.Equal(id.digest, digest) || id.serial != nil && (id.serial.Cmp(c.SerialNumber) != 0 || !hasName(id.issuer, c.RawIssuer)) {
			return false
		}
	}
	return true
}

// stamperUsage is what the key of an authority signs with (RFC 5280, section 4.2.1.12).
const stamperUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment

// checkSigner holds what the signed attributes and the timestamp info say of the signer's certificate against it, which the
// library has found to be for timestamps alone.
func (t *token) checkSigner(c *x509.Certificate) error {
	if err := checkKeyUsage(c, stamperUsage); err != nil {
		return fmt.Errorf("the signer's certificate: %w", err)
	}
	if !t.identifies(c) {
		return errors.New("the signed attributes name another certificate than the signer's (ESSCertID)")
	}
	if len(t.names) > 0 && !namesCertificate(t.names, c) {
		return errors.New("the timestamp names another authority than the signer's certificate")
	}
	return nil
}

func sha1Sum(data []byte) []byte {
	digest := sha1.Sum(data)
	return digest[:]
}

// directoryName is the tag of a GeneralName that holds a Name (RFC 5280, section 4.2.1.6).
const directoryName = 4

// hasName says whether a Name is among the directory names of these GeneralNames.
func hasName(names, want []byte) bool {
	all, err := elements(names)
	for _, n := range all {
		if err == nil && n.Class == asn1.ClassContextSpecific && n.Tag == directoryName && sameName(n.Bytes, want) {
			return true
		}
	}
	return false
}

// namesCertificate says whether a GeneralName is a certificate's subject, or among its alternative names.
func namesCertificate(name []byte, c *x509.Certificate) bool {
	if hasName(name, c.RawSubject) {
		return true
	}
	for _, e := range c.Extensions {
		if !e.Id.Equal(oid(2, 5, 29, 17)) {
			continue
		}
		var list asn1.RawValue
		if exactly(asn1.RawValue{FullBytes: e.Value}, &list) != nil {
			continue
		}
		all, _ := elements(list.Bytes)
		for _, n := range all {
			if bytes.Equal(n.FullBytes, name) {
				return true
			}
		}
	}
	return false
}

// sameName compares two Names in whichever string types and letters they are written.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if max(len(a), len(b)) > limits.CertificateName { // which takes time by the square of it
		return false
	}
	var x, y pkix.RDNSequence
	return exactly(asn1.RawValue{FullBytes: a}, &x) == nil && exactly(asn1.RawValue{FullBytes: b}, &y) == nil &&
		strings.EqualFold(x.String(), y.String())
}
