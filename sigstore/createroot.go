package sigstore

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
)

// RootSpec is what the trusted root of a private Sigstore names, each list in the order in
// which it is written.
type RootSpec struct {
	CertificateAuthorities      []AuthoritySpec // Fulcio
	TimestampAuthorities        []AuthoritySpec
	TransparencyLogs            []LogSpec // Rekor
	CertificateTransparencyLogs []LogSpec
}

// AuthoritySpec is a certificate or timestamp authority.
type AuthoritySpec struct {
	URL string
	// Chain is PEM, each certificate by the next, a self-signed root last. A certificate
	// authority's begins with the certificate that issues those of signers, a timestamp
	// authority's with the one that signs timestamps.
	Chain []byte
	// Start and End bound when it is believed, both inclusive. Without a Start it is from the
	// NotBefore of the root, or of the timestamp authority's own certificate; without an End
	// there is none but that of the certificates.
	Start, End time.Time
}

// LogSpec is a transparency log.
type LogSpec struct {
	URL string
	// Origin is the name by which the log signs its checkpoints: that of Rekor v2, and then the
	// host of the URL, where verifiers look for it. Rekor v1 has none.
	Origin string
	// PublicKey is PEM.
	PublicKey []byte
	// Start and End bound when it is believed, both inclusive; the zero time bounds nothing.
	Start, End time.Time
}

// CreateTrustedRoot makes the trusted root of a private Sigstore. What could not vouch for
// anything is refused: chains out of order or for another purpose, periods that are empty,
// the same chain or key twice. Equal specs give equal files.
func CreateTrustedRoot(spec RootSpec) (*TrustedRoot, error) {
	made := &prototrustroot.TrustedRoot{MediaType: root.TrustedRootMediaType01}
	var err error
	if made.CertificateAuthorities, err = newAuthorities(spec.CertificateAuthorities, checkCertifier, last); err != nil {
		return nil, fmt.Errorf("certificate authority %w", err)
	}
	if made.TimestampAuthorities, err = newAuthorities(spec.TimestampAuthorities, checkStamper, first); err != nil {
		return nil, fmt.Errorf("timestamp authority %w", err)
	}
	if made.Tlogs, err = newLogs(spec.TransparencyLogs, checkRekor); err != nil {
		return nil, fmt.Errorf("transparency log %w", err)
	}
	if made.Ctlogs, err = newLogs(spec.CertificateTransparencyLogs, checkCT); err != nil {
		return nil, fmt.Errorf("certificate transparency log %w", err)
	}
	if n := len(made.CertificateAuthorities) + len(made.TimestampAuthorities) + len(made.Tlogs) + len(made.Ctlogs); n == 0 {
		return nil, errors.New("trusted root: lists no authority and no log")
	}
	text, err := (&TrustedRoot{spec: made}).JSON()
	if err != nil {
		return nil, err
	}
	return ParseTrustedRoot(text) // as a reader of the file will
}

func first(chain []*x509.Certificate) *x509.Certificate { return chain[0] }
func last(chain []*x509.Certificate) *x509.Certificate  { return chain[len(chain)-1] }

// newAuthorities checks each chain. Without a start time, an authority is believed from the
// NotBefore of the certificate that begins chooses, as cosign does it.
func newAuthorities(specs []AuthoritySpec, check func([]*x509.Certificate, period) error, begins func([]*x509.Certificate) *x509.Certificate) ([]*prototrustroot.CertificateAuthority, error) {
	var made []*prototrustroot.CertificateAuthority
	seen := map[[sha256.Size]byte]string{}
	for _, spec := range specs {
		if err := checkURL(spec.URL, false); err != nil {
			return nil, err
		}
		chain, err := parseChain(spec.Chain)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate chain: %w", spec.URL, err)
		}
		valid := period{spec.Start, spec.End}
		if valid.from.IsZero() {
			valid.from = begins(chain).NotBefore
		}
		if valid.empty() {
			return nil, fmt.Errorf("%s: ends %s, before it begins %s", spec.URL, visible.Time(valid.until), visible.Time(valid.from))
		}
		if err := check(chain, valid); err != nil {
			return nil, fmt.Errorf("%s: certificate chain: %w", spec.URL, err)
		}
		id := chainID(chain)
		if other, ok := seen[id]; ok {
			return nil, fmt.Errorf("%s: has the same certificates as %s: one authority stands once", spec.URL, other)
		}
		seen[id] = spec.URL
		made = append(made, newAuthority(spec.URL, chain, valid))
	}
	return made, nil
}

func chainID(chain []*x509.Certificate) [sha256.Size]byte {
	var all bytes.Buffer
	for _, c := range chain {
		all.Write(c.Raw)
	}
	return sha256.Sum256(all.Bytes())
}

func newAuthority(url string, chain []*x509.Certificate, valid period) *prototrustroot.CertificateAuthority {
	name := last(chain).Subject
	subject := &protocommon.DistinguishedName{CommonName: name.CommonName}
	if len(name.Organization) > 0 {
		subject.Organization = name.Organization[0]
	}
	certificates := &protocommon.X509CertificateChain{}
	for _, c := range chain {
		certificates.Certificates = append(certificates.Certificates, &protocommon.X509Certificate{RawBytes: c.Raw})
	}
	return &prototrustroot.CertificateAuthority{Subject: subject, Uri: url, CertChain: certificates, ValidFor: valid.proto()}
}

// proto always has a start, which sigstore-go wants of logs: the epoch is older than all of them.
func (p period) proto() *protocommon.TimeRange {
	r := &protocommon.TimeRange{Start: &timestamppb.Timestamp{}}
	if !p.from.IsZero() {
		r.Start = timestamppb.New(p.from)
	}
	if !p.until.IsZero() {
		r.End = timestamppb.New(p.until)
	}
	return r
}

func newLogs(specs []LogSpec, check func(*LogSpec, *signer.PublicKey) error) ([]*prototrustroot.TransparencyLogInstance, error) {
	var made []*prototrustroot.TransparencyLogInstance
	seen := map[string]string{}
	for _, spec := range specs {
		if err := checkURL(spec.URL, false); err != nil {
			return nil, err
		}
		if (period{spec.Start, spec.End}).empty() {
			return nil, fmt.Errorf("%s: ends %s, before it begins %s", spec.URL, visible.Time(spec.End), visible.Time(spec.Start))
		}
		key, err := signer.ParsePublicKey(spec.PublicKey)
		if err == nil {
			err = check(&spec, key)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec.URL, err)
		}
		l, err := newLog(spec, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec.URL, err)
		}
		if other, ok := seen[key.Hint()]; ok {
			return nil, fmt.Errorf("%s: has the same key as %s: one log stands once", spec.URL, other)
		}
		seen[key.Hint()] = spec.URL
		made = append(made, l)
	}
	return made, nil
}

func newLog(spec LogSpec, key *signer.PublicKey) (*prototrustroot.TransparencyLogInstance, error) {
	details, ok := keyDetails[key.Algorithm()]
	if !ok {
		return nil, fmt.Errorf("a key of kind %s has no name in a trusted root", key.Algorithm())
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	id, err := logID(spec.Origin, key, der)
	if err != nil {
		return nil, err
	}
	return &prototrustroot.TransparencyLogInstance{
		BaseUrl:       spec.URL,
		HashAlgorithm: protocommon.HashAlgorithm_SHA2_256,
		PublicKey:     &protocommon.PublicKey{RawBytes: der, KeyDetails: details, ValidFor: period{spec.Start, spec.End}.proto()},
		LogId:         &protocommon.LogId{KeyId: id},
	}, nil
}

// logID is how entries name their log: Rekor v1 and RFC 6962 by the SHA-256 of its key, Rekor v2 by
// the whole of the hash of which a checkpoint's key ID is the beginning. They differ unless the key is ECDSA.
func logID(origin string, key *signer.PublicKey, der []byte) ([]byte, error) {
	if origin == "" {
		sum := sha256.Sum256(der)
		return sum[:], nil
	}
	_, id, err := note.KeyHash(origin, key.Public())
	return id, err
}

var keyDetails = map[signer.Algorithm]protocommon.PublicKeyDetails{
	signer.ECDSAP256: protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
	signer.ECDSAP384: protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
	signer.ECDSAP521: protocommon.PublicKeyDetails_PKIX_ECDSA_P521_SHA_512,
	signer.Ed25519:   protocommon.PublicKeyDetails_PKIX_ED25519,
	signer.RSA2048:   protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
	signer.RSA3072:   protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_3072_SHA256,
	signer.RSA4096:   protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_4096_SHA256,
}

func checkRekor(l *LogSpec, _ *signer.PublicKey) error {
	if u, err := url.Parse(l.URL); err != nil || l.Origin != "" && l.Origin != u.Hostname() {
		return fmt.Errorf("the origin is %q, but verifiers take the host of the URL for it: give a URL of that host", l.Origin)
	}
	return nil
}

// checkCT wants a key of RFC 6962, section 2.1.4. Its logs have no other name than their key,
// whatever the origin of their checkpoints.
func checkCT(l *LogSpec, key *signer.PublicKey) error {
	l.Origin = ""
	switch key.Algorithm() {
	case signer.ECDSAP256, signer.RSA2048, signer.RSA3072, signer.RSA4096:
		return nil
	}
	return fmt.Errorf("a key of kind %s signs no certificate timestamps: want ECDSA P-256 or RSA", key.Algorithm())
}

// Warnings lists what is allowed but probably a mistake.
func (s RootSpec) Warnings() []string {
	var warnings []string
	for _, l := range s.TransparencyLogs {
		key, err := signer.ParsePublicKey(l.PublicKey)
		if u, _ := url.Parse(l.URL); err == nil && u != nil && l.Origin == "" && key.Algorithm() == signer.Ed25519 {
			warnings = append(warnings, fmt.Sprintf("%s has an Ed25519 key and no origin, as only a Rekor v1 would: if it is Rekor v2, add origin=%s", l.URL, u.Hostname()))
		}
	}
	return warnings
}
