package attest

import (
	"fmt"
	"slices"
	"time"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/signer"
)

// CheckName names one of the things that a verification asks.
type CheckName string

// The checks, in the order of a report.
const (
	CheckSignature   CheckName = "signature"   // the one DSSE signature is by the key or certificate
	CheckSigner      CheckName = "signer"      // that key or certificate is one that the verifier trusts
	CheckTime        CheckName = "time"        // trusted timestamps, inside the key's validity
	CheckStatement   CheckName = "statement"   // in-toto v1, the right predicate type, well-formed subjects
	CheckIdentity    CheckName = "identity"    // recomputed == subject == predicate == expected
	CheckDeclaration CheckName = "declaration" // valid under its schema
	CheckSubject     CheckName = "subject"     // the artifacts given are among the subjects
	CheckPolicy      CheckName = "policy"      // the policy's rules
)

// Verdict is the answer of one check.
type Verdict string

// The verdicts. NotChecked is no yes: a report says why nothing was asked.
const (
	Pass       Verdict = "pass"
	Fail       Verdict = "fail"
	NotChecked Verdict = "not-checked"
)

// Check is one question with its answer.
type Check struct {
	Name    CheckName `json:"name"`
	Verdict Verdict   `json:"verdict"`
	Reason  string    `json:"reason"`
	Hint    string    `json:"hint,omitempty"`
	Details []string  `json:"details,omitempty"` // one line each, where there is more than one reason
	Code    Code      `json:"code"`              // the reason in a word, for programs
}

// What a Signatory signs with.
const (
	SignedByKey         = "key"
	SignedByCertificate = "certificate"
)

// Signatory is who signed, as the trust check found it out.
type Signatory struct {
	Kind      string `json:"kind"`              // SignedByKey or SignedByCertificate
	Name      string `json:"name"`              // what the verifier calls the key; the certificate's subject alternative name
	Issuer    string `json:"issuer,omitempty"`  // the OIDC issuer that a certificate names
	KeyHint   string `json:"keyHint,omitempty"` // signer.PublicKey.Hint
	Algorithm string `json:"algorithm,omitempty"`
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

// LoggedAt is a place in a transparency log where the signature is proved, or promised, to be.
type LoggedAt struct {
	Log   string `json:"log"` // the log as the trusted root names it
	Index int64  `json:"index"`
}

// ModelName is what a declaration calls its model.
type ModelName struct {
	Name     string `json:"name"`
	Provider string `json:"provider,omitempty"`
	Version  string `json:"version,omitempty"`
}

// Report is what a verification asked and found, one check a line. Everything but Checks is
// set only when Verified is true.
type Report struct {
	Verified    bool              `json:"verified"`
	Identity    identity.ID       `json:"identity,omitzero"`
	Kind        identity.Kind     `json:"kind,omitempty"`
	Signer      *Signatory        `json:"signer,omitempty"`
	Times       []TrustedTime     `json:"times,omitempty"`
	Logs        []LoggedAt        `json:"logs,omitempty"`     // proved
	Promises    []LoggedAt        `json:"promises,omitempty"` // promised by the log, and not proved
	Subjects    []Subject         `json:"subjects,omitempty"` // besides the run
	Annotations map[string]string `json:"annotations,omitempty"`
	Checks      []Check           `json:"checks"`
	Model       *ModelName        `json:"model,omitempty"`
}

// Failed lists the checks that failed.
func (r *Report) Failed() []Check {
	r = zero.IfNil(r)
	var failed []Check
	for _, c := range r.Checks {
		if c.Verdict == Fail {
			failed = append(failed, c)
		}
	}
	return failed
}

// required are the checks without which nothing is verified.
var required = []CheckName{CheckSignature, CheckSigner, CheckStatement, CheckIdentity, CheckDeclaration}

// decide is the only place where a yes is made: no check failed, and each that is required passed.
func decide(checks []Check, required ...CheckName) bool {
	passed := map[CheckName]bool{}
	for _, c := range checks {
		switch c.Verdict {
		case Pass:
			passed[c.Name] = true
		case NotChecked:
		default:
			return false
		}
	}
	for _, name := range required {
		if !passed[name] {
			return false
		}
	}
	return len(required) > 0
}

// VerificationError says that the answer is no, and which checks say so.
type VerificationError struct{ Report Report }

func (e *VerificationError) Error() string {
	failed := e.Report.Failed()
	if len(failed) == 0 {
		return "not verified"
	}
	s := fmt.Sprintf("not verified: %s: %s", failed[0].Name, failed[0].Reason)
	if n := len(failed) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Is says that the error is signer.ErrSignature where no trusted key has made the signature.
func (e *VerificationError) Is(target error) bool {
	return target == signer.ErrSignature && slices.ContainsFunc(e.Report.Checks, func(c Check) bool {
		return c.Name == CheckSignature && c.Verdict == Fail &&
			(c.Code == CodeSignature || c.Code == CodeSignatureScheme || c.Code == CodeSignerUnknown)
	})
}
