package evidence

import (
	"strings"
	"time"
)

// Result is what a trust check found. By is nil unless the signature is good and the
// signer trusted; Times, Logs and Promises are those that were verified.
type Result struct {
	Signature, Signer, Time Check
	By                      *SignerIdentity
	Times                   []TrustedTime
	Logs                    []LogEntry // where the signature is proved to be
	Promises                []LogEntry // where a log has promised to put it, without a proof that it did
	// OtherScheme is the trusted signer whose key made the signature in a scheme that is not accepted, or over something else than
	// DSSE's PAE, or whose certificate has a key that nothing can be verified with. It approves nothing; it tells a rejection that
	// such a signer may mean from a stranger's.
	OtherScheme *SignerIdentity
}

// What the signer signs with.
const (
	SignedByKey         = "key"
	SignedByCertificate = "certificate"
)

// SignerIdentity is who signed, as the trust check found it out.
type SignerIdentity struct {
	Kind      string `json:"kind"`              // SignedByKey or SignedByCertificate
	Name      string `json:"name"`              // what the verifier calls the key; the certificate's subject alternative name
	Issuer    string `json:"issuer,omitempty"`  // the OIDC issuer that a certificate names
	KeyHint   string `json:"keyHint,omitempty"` // signer.PublicKey.Hint
	Algorithm string `json:"algorithm,omitempty"`
	// OtherNames are those that a certificate has besides Name, one a line. No signer is trusted by them: they tell who may have signed,
	// where that forbids something.
	OtherNames string `json:"-"`
}

// Names are Name and the OtherNames.
func (s SignerIdentity) Names() []string {
	return append([]string{s.Name}, strings.FieldsFunc(s.OtherNames, func(c rune) bool { return c == '\n' })...)
}

// TrustedTime is a time that an authority has signed: the signature existed by then.
type TrustedTime struct {
	Kind      string    `json:"kind"`      // "timestamp" (RFC 3161) or "log" (a Rekor v1 log's integrated time)
	Authority string    `json:"authority"` // the authority as the trusted root names it
	Time      time.Time `json:"time"`
	// Accuracy is how far Time may be off, to either side, as the authority says (RFC 3161, section 2.4.2). It is zero where
	// the authority does not say: Time is then taken as it is.
	Accuracy time.Duration `json:"accuracyNanoseconds,omitempty"`
}

// Latest is the last instant that the time may be: the signature is proved to have existed by then.
func (t TrustedTime) Latest() time.Time { return t.Time.Add(t.Accuracy) }

// Earliest is the first instant that the time may be.
func (t TrustedTime) Earliest() time.Time { return t.Time.Add(-t.Accuracy) }

// LogEntry is a place in a transparency log where the signature is proved, or promised, to be.
type LogEntry struct {
	Log   string `json:"log"` // the log as the trusted root names it
	Index int64  `json:"index"`
}
