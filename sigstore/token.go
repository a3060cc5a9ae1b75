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
	"slices"
	"strings"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"

	"github.com/runattest/runattest/internal/limits"
)

// token is an RFC 3161 response that has the form which RFC 3161, RFC 5816 and RFC 5652 demand. Nothing of it
// is verified: the libraries do that, and they read past much of what is checked here.
type token struct {
	response []byte // granted, with the token as it was: what the libraries take
	message  asn1.RawValue
	content  []byte // the TSTInfo, which has a serial number: no two timestamps of an authority have the same

	hash     crypto.Hash
	imprint  []byte
	at       time.Time
	accuracy time.Duration
	nonce    *big.Int
	names    []byte // the GeneralName by which the authority calls itself; nil without

	certificates []*x509.Certificate // nil if it carries none
	issuer       []byte              // of the signer's certificate: a Name
	serial       *big.Int
	certificate  []certificateID // of the signer, by the signed attributes
}

// certificateID is an ESSCertID (RFC 2634) or ESSCertIDv2 (RFC 5035).
type certificateID struct {
	hash   crypto.Hash
	digest []byte
	issuer []byte // of the IssuerSerial; nil without
	serial *big.Int
}

func oid(arcs ...int) asn1.ObjectIdentifier { return arcs }

var (
	oidTSTInfo              = oid(1, 2, 840, 113549, 1, 9, 16, 1, 4)
	oidSigningCertificate   = oid(1, 2, 840, 113549, 1, 9, 16, 2, 12)
	oidSigningCertificateV2 = oid(1, 2, 840, 113549, 1, 9, 16, 2, 47)
)

// strongHashes are the digests that count in a timestamp.
var strongHashes = map[string]crypto.Hash{
	pkcs7.OIDDigestAlgorithmSHA256.String(): crypto.SHA256,
	pkcs7.OIDDigestAlgorithmSHA384.String(): crypto.SHA384,
	pkcs7.OIDDigestAlgorithmSHA512.String(): crypto.SHA512,
}

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

// algorithmNames are those of algorithms that are refused, as people know them.
var algorithmNames = map[string]string{
	"1.3.14.3.2.26":           "SHA-1",
	"1.2.840.113549.2.5":      "MD5",
	"2.16.840.1.101.3.4.2.4":  "SHA-224",
	"1.2.840.113549.1.1.4":    "RSA with MD5",
	"1.2.840.113549.1.1.5":    "RSA with SHA-1",
	"1.2.840.113549.1.1.10":   "RSA-PSS",
	"1.2.840.113549.1.1.14":   "RSA with SHA-224",
	"1.2.840.10045.4.1":       "ECDSA with SHA-1",
	"1.2.840.10040.4.1":       "DSA",
	"1.2.840.10040.4.3":       "DSA with SHA-1",
	"2.16.840.1.101.3.4.3.2":  "DSA with SHA-256",
	"1.3.101.113":             "Ed448",
	"1.2.840.10045.2.1":       "a kind of key (ECDSA)", // which libraries have written in place of an algorithm
	"1.2.840.10045.3.1.7":     "the curve P-256",
	"1.3.132.0.34":            "the curve P-384",
	"1.3.132.0.35":            "the curve P-521",
	"2.16.840.1.101.3.4.2.6":  "SHA-512/256",
	"2.16.840.1.101.3.4.2.8":  "SHA3-256",
	"2.16.840.1.101.3.4.2.10": "SHA3-512",
}

func algorithmName(id asn1.ObjectIdentifier) string {
	if name, ok := algorithmNames[id.String()]; ok {
		return name
	}
	return "the algorithm " + id.String()
}

// readToken reads a TimeStampResp, DER.
func readToken(response []byte) (t *token, err error) {
	err = guard(func() error {
		t = &token{}
		return t.readResponse(response)
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// readResponse takes both statuses that come with a timestamp: granted, and granted with modifications.
func (t *token) readResponse(response []byte) error {
	if err := checkNesting(response); err != nil {
		return err
	}
	r, err := readSequence("the response", response)
	if err != nil {
		return fmt.Errorf("not an RFC 3161 response: %w", err)
	}
	if len(r.rest) > 0 && r.rest[0].Tag == asn1.TagOID {
		return errors.New("is a timestamp token by itself, want the response that it came in (RFC 3161, TimeStampResp)")
	}
	status := r.sequence("the status")
	t.message, _ = r.optional(asn1.ClassUniversal, asn1.TagSequence)
	if err := r.end(); err != nil {
		return fmt.Errorf("not an RFC 3161 response: %w", err)
	}
	var granted int
	status.take("the status", asn1.TagInteger, &granted)
	text, _ := status.optional(asn1.ClassUniversal, asn1.TagSequence)
	status.optional(asn1.ClassUniversal, asn1.TagBitString)
	if err := status.end(); err != nil {
		return fmt.Errorf("not an RFC 3161 response: %w", err)
	}
	if s := timestamp.Status(granted); s != timestamp.Granted && s != timestamp.GrantedWithMods {
		return fmt.Errorf("holds no timestamp: %s%s", s, statusText(text))
	}
	if len(t.message.FullBytes) == 0 {
		return errors.New("holds no timestamp, though the request is granted")
	}
	if err := t.readMessage(); err != nil {
		return err
	}
	t.response, err = asn1.Marshal(struct {
		Status struct{ Granted int }
		Token  asn1.RawValue
	}{Token: asn1.RawValue{FullBytes: t.message.FullBytes}})
	return err
}

// statusText is what the authority says besides its status, for people.
func statusText(v asn1.RawValue) string {
	texts, _ := elements(v.Bytes)
	var all []string
	for _, text := range texts {
		all = append(all, strings.ToValidUTF8(string(text.Bytes), "?"))
	}
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%q)", strings.Join(all, ", "))
}

// readMessage reads the token: a CMS SignedData (RFC 5652) with one signer.
func (t *token) readMessage() error {
	m, err := readSequence("the token", t.message.FullBytes)
	if err != nil {
		return err
	}
	var kind asn1.ObjectIdentifier
	m.take("the content type", asn1.TagOID, &kind)
	wrapped, _ := m.optional(asn1.ClassContextSpecific, 0)
	if err := m.end(); err != nil {
		return err
	}
	if !kind.Equal(pkcs7.OIDSignedData) {
		return fmt.Errorf("the token is of type %s, want CMS signed data", kind)
	}
	s, err := readSequence("the signed data", wrapped.Bytes)
	if err != nil {
		return err
	}
	var version int
	s.take("the version", asn1.TagInteger, &version)
	s.skip("the digest algorithms", asn1.TagSet)
	content := s.sequence("the content")
	certificates, _ := s.optional(asn1.ClassContextSpecific, 0)
	revocations, _ := s.optional(asn1.ClassContextSpecific, 1)
	signers := s.skip("the signers", asn1.TagSet)
	if err := s.end(); err != nil {
		return err
	}
	if want := signedDataVersion(revocations); version != want {
		return fmt.Errorf("the signed data is of version %d, want %d (RFC 5652, section 5.1)", version, want)
	}
	if t.content, err = readContent(content); err != nil {
		return err
	}
	if err := t.readCertificates(certificates.Bytes); err != nil {
		return err
	}
	all, err := elements(signers.Bytes)
	if err != nil || len(all) != 1 {
		return fmt.Errorf("the token has %d signers, want the authority alone", len(all))
	}
	if err := t.readSigner(all[0]); err != nil {
		return err
	}
	return t.readInfo()
}

// signedDataVersion is the version of what holds another content than data: 3, or 5 with revocation lists of another format.
// Attribute certificates, which ask for 4, are not read.
func signedDataVersion(revocations asn1.RawValue) int {
	all, err := elements(revocations.Bytes)
	if err == nil && slices.ContainsFunc(all, func(v asn1.RawValue) bool { return v.Class == asn1.ClassContextSpecific }) {
		return 5
	}
	return 3
}

func readContent(c *sequence) ([]byte, error) {
	var kind asn1.ObjectIdentifier
	var content []byte
	c.take("the type", asn1.TagOID, &kind)
	wrapped, _ := c.optional(asn1.ClassContextSpecific, 0)
	if err := c.end(); err != nil {
		return nil, err
	}
	if !kind.Equal(oidTSTInfo) {
		return nil, fmt.Errorf("the content is of type %s, want timestamp info, %s", kind, oidTSTInfo)
	}
	if rest, err := asn1.Unmarshal(wrapped.Bytes, &content); err != nil || len(rest) > 0 {
		return nil, errors.New("the content is missing or not DER")
	}
	return content, nil
}

func (t *token) readCertificates(der []byte) error {
	all, err := elements(der)
	if err != nil {
		return fmt.Errorf("the certificates: %w", err)
	}
	if len(all) > limits.Certificates {
		return fmt.Errorf("%d certificates, want at most %d", len(all), limits.Certificates)
	}
	if t.certificates, err = x509.ParseCertificates(der); err != nil {
		return fmt.Errorf("the certificates: %w", err)
	}
	return nil
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

// hasParameters says whether an algorithm has others than none, which some write as NULL.
func hasParameters(a pkix.AlgorithmIdentifier) bool {
	return len(a.Parameters.FullBytes) > 0 && !bytes.Equal(a.Parameters.FullBytes, asn1.NullBytes)
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
	if _, ok := first.peek(asn1.ClassUniversal, asn1.TagSequence); ok {
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

// readInfo reads the TSTInfo (RFC 3161, section 2.4.2).
func (t *token) readInfo() error {
	s, err := readSequence("the timestamp info", t.content)
	if err != nil {
		return err
	}
	var version int
	var policy asn1.ObjectIdentifier
	s.take("the version", asn1.TagInteger, &version)
	s.take("the policy", asn1.TagOID, &policy)
	imprint := s.sequence("the message imprint")
	s.skip("the serial number", asn1.TagInteger)
	at := s.skip("the time", asn1.TagGeneralizedTime)
	accuracy, _ := s.optional(asn1.ClassUniversal, asn1.TagSequence)
	s.optional(asn1.ClassUniversal, asn1.TagBoolean) // ordering, which says how to compare with others of its authority
	if v, ok := s.optional(asn1.ClassUniversal, asn1.TagInteger); ok && s.err == nil {
		s.err = exactly(v, &t.nonce)
	}
	tsa, _ := s.optional(asn1.ClassContextSpecific, 0)
	extensions, _ := s.optional(asn1.ClassContextSpecific, 1)
	if err := s.end(); err != nil {
		return err
	}
	if version != 1 {
		return fmt.Errorf("the timestamp info is of version %d, want 1", version)
	}
	t.names = tsa.Bytes
	if err := t.readImprint(imprint); err != nil {
		return err
	}
	if !bytes.HasSuffix(at.Bytes, []byte("Z")) {
		return errors.New("the time is not in UTC")
	}
	if _, err := asn1.UnmarshalWithParams(at.FullBytes, &t.at, "generalized"); err != nil {
		return errors.New("the time is not one as RFC 3161 writes it")
	}
	t.at = t.at.UTC()
	if t.accuracy, err = readAccuracy(accuracy.Bytes); err != nil {
		return err
	}
	return checkExtensions(extensions.Bytes)
}

func (t *token) readImprint(s *sequence) error {
	algorithm := s.algorithm("the hash algorithm")
	s.take("the hash", asn1.TagOctetString, &t.imprint)
	if err := s.end(); err != nil {
		return err
	}
	var ok bool
	if t.hash, ok = strongHashes[algorithm.Algorithm.String()]; !ok {
		return fmt.Errorf("the timestamp is over a digest with %s, want SHA-256, SHA-384 or SHA-512", algorithmName(algorithm.Algorithm))
	}
	if hasParameters(algorithm) {
		return errors.New("the digest of the timestamp has parameters, want none")
	}
	if len(t.imprint) != t.hash.Size() {
		return fmt.Errorf("the timestamp is over a digest of %d bytes, want %d", len(t.imprint), t.hash.Size())
	}
	return nil
}

// maxAccuracy is far beyond what any clock needs, and far below what would overflow.
const maxAccuracy = 100 * 365 * 24 * time.Hour

// readAccuracy is how far the time may be off, to either side. What is left out is zero.
func readAccuracy(der []byte) (time.Duration, error) {
	parts, err := elements(der)
	if err != nil {
		return 0, fmt.Errorf("the accuracy: %w", err)
	}
	s := &sequence{name: "the accuracy", rest: parts}
	var total time.Duration
	for _, p := range []struct {
		class, tag int
		params     string
		unit       time.Duration
		most       int64
	}{
		{asn1.ClassUniversal, asn1.TagInteger, "", time.Second, int64(maxAccuracy / time.Second)},
		{asn1.ClassContextSpecific, 0, "tag:0", time.Millisecond, 999},
		{asn1.ClassContextSpecific, 1, "tag:1", time.Microsecond, 999},
	} {
		v, ok := s.optional(p.class, p.tag)
		if !ok {
			continue
		}
		var n int64
		if rest, err := asn1.UnmarshalWithParams(v.FullBytes, &n, p.params); err != nil || len(rest) > 0 || n < 0 || n > p.most {
			return 0, errors.New("the accuracy is not one as RFC 3161 writes it")
		}
		total += time.Duration(n) * p.unit
	}
	return total, s.end()
}

// checkExtensions refuses what its authority says is not to be passed over: none is known here.
func checkExtensions(der []byte) error {
	all, err := elements(der)
	if err != nil {
		return fmt.Errorf("the extensions: %w", err)
	}
	for _, v := range all {
		var e pkix.Extension
		if err := exactly(v, &e); err != nil {
			return fmt.Errorf("the extensions: %w", err)
		}
		if e.Critical {
			return fmt.Errorf("the critical extension %s is not known", e.Id)
		}
	}
	return nil
}

// signer is the certificate of the token's signer: one that it carries, or else the one that the trusted root has.
func (t *token) signer(known *x509.Certificate) *x509.Certificate {
	all := t.certificates
	if all == nil && known != nil {
		all = []*x509.Certificate{known}
	}
	for _, c := range all {
		if c.SerialNumber.Cmp(t.serial) == 0 && bytes.Equal(c.RawIssuer, t.issuer) {
			return c
		}
	}
	return nil
}

// isFor says whether the timestamp is over these bytes.
func (t *token) isFor(message []byte) bool { return bytes.Equal(t.imprint, sum(t.hash, message)) }

// checkSigner holds what the signed attributes and the timestamp info say of the signer's certificate against it.
func (t *token) checkSigner(c *x509.Certificate) error {
	for _, id := range t.certificate {
		digest := sha1Sum(c.Raw)
		if id.hash != crypto.SHA1 {
			digest = sum(id.hash, c.Raw)
		}
		if !bytes.Equal(id.digest, digest) || id.serial != nil && (id.serial.Cmp(c.SerialNumber) != 0 || !hasName(id.issuer, c.RawIssuer)) {
			return errors.New("the signed attributes name another certificate than the signer's (ESSCertID)")
		}
	}
	if len(t.names) > 0 && !namesCertificate(t.names, c) {
		return errors.New("the timestamp names another authority than the signer's certificate")
	}
	return nil
}

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
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
	var x, y pkix.RDNSequence
	return exactly(asn1.RawValue{FullBytes: a}, &x) == nil && exactly(asn1.RawValue{FullBytes: b}, &y) == nil &&
		strings.EqualFold(x.String(), y.String())
}
