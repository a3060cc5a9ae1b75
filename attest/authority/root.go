package authority

import (
	"cmp"
	"time"

	"github.com/runattest/runattest/attest"
)

// Root is a trusted root: the authorities and logs that a verifier believes. It is immutable and safe for concurrent use.
type Root interface {
	// Trusted lists the authorities and logs.
	Trusted() []Authority
	// Trust makes a trust check of them. It is an error to demand more than they can give, because nothing could pass.
	Trust(d Demands) (attest.Trust, error)
}

// Demands are the signers that a trust check trusts, one of which suffices, and the evidence that it demands.
type Demands struct {
	Keys       []attest.TrustedKey
	Identities []CertificateIdentity
	Timestamps int // from how many authorities an RFC 3161 timestamp must be there
	// LogEntries is in how many transparency logs the signature must be. Zero demands one where the signer is a certificate
	// and the root lists logs.
	LogEntries int
	// UnsafeAnyTime asks who signed, and not when. It is for statements that can only forbid something.
	UnsafeAnyTime bool
}

// The kinds of authorities and logs.
const (
	CertificateAuthority       = "certificate-authority"        // says who signed
	CertificateTransparencyLog = "certificate-transparency-log" // has seen the certificates
	TimestampAuthority         = "timestamp-authority"          // says when
	TransparencyLog            = "transparency-log"             // has seen the signatures; Rekor v1 says when, too
)

// Authority is one authority or log of a trusted root.
type Authority struct {
	Kind string // one of the kinds
	URL  string
	Name string // the subject of an authority's root certificate
	// Operator is who runs it, a URI without a scheme; empty if the trusted root does not say. Services of one operator count as one.
	Operator string
	// ID is the SHA-256 of an authority's root certificate, or the log's own: both in hex.
	ID        string
	Algorithm string // of a log's key, in Sigstore's words
	// Dates says that it may prove when something was signed: a timestamp authority, or a log whose promises can hold, as
	// Rekor v1's. Where a log's key is ECDSA, nothing says whether it is Rekor v1.
	Dates bool
	// From and Until are when it is believed, both inclusive: what the trusted root says, and
	// no more than all its certificates are valid. The zero time bounds nothing.
	From, Until time.Time
}

// Status says how that time stands to the period: "current", "past" or "future". A past authority
// still vouches for what it signed then.
func (a Authority) Status(now time.Time) string {
	switch {
	case now.Before(a.From):
		return "future"
	case !a.Until.IsZero() && now.After(a.Until):
		return "past"
	}
	return "current"
}

// Label is what to call it by.
func (a Authority) Label() string { return cmp.Or(a.URL, a.Name, a.ID) }
