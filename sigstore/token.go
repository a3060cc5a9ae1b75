package sigstore

import (
	"bytes"
	"cmp"
	"crypto"
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

	"github.com/runattest/runattest/internal/ecpoint"
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
	checked      int                 // times that one of them was held against a certificate of the name of its issuer
	foreign      int                 // and that it was not by that one
	issuer       []byte              // of the signer's certificate: a Name
	serial       *big.Int
	certificate  []certificateID // of the signer, by the signed attributes
}

func oid(arcs ...int) asn1.ObjectIdentifier { return arcs }

var oidTSTInfo = oid(1, 2, 840, 113549, 1, 9, 16, 1, 4)

// strongHashes are the digests that count in a timestamp.
var strongHashes = map[string]crypto.Hash{
	pkcs7.OIDDigestAlgorithmSHA256.String(): crypto.SHA256,
	pkcs7.OIDDigestAlgorithmSHA384.String(): crypto.SHA384,
	pkcs7.OIDDigestAlgorithmSHA512.String(): crypto.SHA512,
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
	t.response, err = responseOf(t.message.FullBytes)
	return err
}

// responseOf is a granted response with a token.
func responseOf(token []byte) ([]byte, error) {
	return asn1.Marshal(struct {
		Status struct{ Granted int }
		Token  asn1.RawValue
	}{Token: asn1.RawValue{FullBytes: token}})
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
		return fmt.Errorf("the certificates: %w", cmp.Or(ecpoint.OfCertificate(der).Err(), err))
	}
	t.certificates = slices.DeleteFunc(t.certificates, func(c *x509.Certificate) bool {
		return len(c.RawSubject) > limits.CertificateName || len(c.RawIssuer) > limits.CertificateName
	})
	return nil
}

// hasParameters says whether an algorithm has others than none, which some write as NULL.
func hasParameters(a pkix.AlgorithmIdentifier) bool {
	return len(a.Parameters.FullBytes) > 0 && !bytes.Equal(a.Parameters.FullBytes, asn1.NullBytes)
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
		v, ok := s.next(p.class, p.tag, false)
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

// isFor says whether the timestamp is over these bytes.
func (t *token) isFor(message []byte) bool { return bytes.Equal(t.imprint, sum(t.hash, message)) }

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}
