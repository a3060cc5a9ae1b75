package sigstore

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"

	"github.com/runattest/runattest/internal/zero"
)

// The kinds of what a trusted root names.
const (
	CertificateAuthority       = "certificate-authority"        // says who signed
	CertificateTransparencyLog = "certificate-transparency-log" // has seen the certificates
	TimestampAuthority         = "timestamp-authority"          // says when
	TransparencyLog            = "transparency-log"             // has seen the signatures; Rekor v1 says when, too
)

// Trusted is one authority or log that a trusted root names, for people to look at.
type Trusted struct {
	Kind string
	URL  string
	Name string // the subject of an authority's root certificate
	// ID is the SHA-256 of an authority's root certificate, or the log's own: both in hex.
	ID        string
	Algorithm string // of a log's key, in Sigstore's words
	// From and Until are when it is believed, both inclusive: what the trusted root says, and
	// no more than all its certificates are valid. The zero time bounds nothing.
	From, Until time.Time
}

// Status says how that time stands to the period: "current", "past" or "future". A past authority
// still vouches for what it signed then.
func (t Trusted) Status(now time.Time) string {
	switch {
	case now.Before(t.From):
		return "future"
	case !t.Until.IsZero() && now.After(t.Until):
		return "past"
	}
	return "current"
}

// Trusted lists the authorities and logs of the trusted root, kind by kind, in the order of the file.
func (r *TrustedRoot) Trusted() []Trusted {
	r = zero.IfNil(r)
	var all []Trusted
	for _, a := range r.spec.GetCertificateAuthorities() {
		all = append(all, describeAuthority(CertificateAuthority, a))
	}
	for _, l := range r.spec.GetCtlogs() {
		all = append(all, describeLog(CertificateTransparencyLog, l))
	}
	for _, a := range r.spec.GetTimestampAuthorities() {
		all = append(all, describeAuthority(TimestampAuthority, a))
	}
	for _, l := range r.spec.GetTlogs() {
		all = append(all, describeLog(TransparencyLog, l))
	}
	return all
}

// Clocks are those of Trusted that may prove when something was signed: the timestamp authorities, and each log whose promises
// can hold, as Rekor v1's. Where a log's key is ECDSA, nothing says whether it is Rekor v1.
func (r *TrustedRoot) Clocks() []Trusted {
	r = zero.IfNil(r)
	var all []Trusted
	for _, a := range r.spec.GetTimestampAuthorities() {
		all = append(all, describeAuthority(TimestampAuthority, a))
	}
	for _, l := range r.spec.GetTlogs() {
		parsed := r.root.RekorLogs()[hex.EncodeToString(l.GetLogId().GetKeyId())]
		if parsed == nil || parsed.ValidityPeriodStart.IsZero() { // of which sigstore-go verifies no promise
			continue
		}
		if _, ok := parsed.PublicKey.(*ecdsa.PublicKey); ok {
			all = append(all, describeLog(TransparencyLog, l))
		}
	}
	return all
}

func describeAuthority(kind string, a *prototrustroot.CertificateAuthority) Trusted {
	t := Trusted{Kind: kind, URL: a.GetUri()}
	var chain []*x509.Certificate
	for _, raw := range a.GetCertChain().GetCertificates() {
		if c, err := x509.ParseCertificate(raw.GetRawBytes()); err == nil { // ParseTrustedRoot has read it
			chain = append(chain, c)
		}
	}
	p := periodOf(a.GetValidFor()).within(together(chain))
	t.From, t.Until = p.from, p.until
	if len(chain) > 0 {
		sum := sha256.Sum256(last(chain).Raw)
		t.Name, t.ID = last(chain).Subject.String(), hex.EncodeToString(sum[:])
	}
	return t
}

func describeLog(kind string, l *prototrustroot.TransparencyLogInstance) Trusted {
	p := periodOf(l.GetPublicKey().GetValidFor())
	return Trusted{
		Kind: kind, URL: l.GetBaseUrl(), ID: hex.EncodeToString(l.GetLogId().GetKeyId()),
		Algorithm: l.GetPublicKey().GetKeyDetails().String(), From: p.from, Until: p.until,
	}
}

// periodOf reads the epoch as no start: it is older than all that could be signed.
func periodOf(r *protocommon.TimeRange) period {
	var p period
	if r.GetStart() != nil && r.GetStart().AsTime().After(time.Unix(0, 0)) {
		p.from = r.GetStart().AsTime()
	}
	if r.GetEnd() != nil {
		p.until = r.GetEnd().AsTime()
	}
	return p
}

// Label is what to call it by.
func (t Trusted) Label() string { return cmp.Or(t.URL, t.Name, t.ID) }
