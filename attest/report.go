package attest

import (
	"fmt"
	"slices"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/signer"
)

// ModelName is what a declaration calls its model.
type ModelName struct {
	Name     string `json:"name"`
	Provider string `json:"provider,omitempty"`
	Version  string `json:"version,omitempty"`
}

// Report is what a verification asked and found, one check a line. Everything but Checks is
// set only when Verified is true, but Set: a run in a set that is not verified has it, too, if it is in the set.
type Report struct {
	Verified bool                     `json:"verified"`
	Identity identity.ID              `json:"identity,omitzero"`
	Kind     identity.Kind            `json:"kind,omitempty"`
	Signer   *evidence.SignerIdentity `json:"signer,omitempty"`
	Times    []evidence.TrustedTime   `json:"times,omitempty"`
	// SignedBefore is the first instant by which one of the Times proves that the signature existed, with what it may be off; zero
	// without any.
	SignedBefore time.Time           `json:"signedBefore,omitzero"`
	Logs         []evidence.LogEntry `json:"logs,omitempty"`     // proved
	Promises     []evidence.LogEntry `json:"promises,omitempty"` // promised by the log, and not proved
	Subjects     []Subject           `json:"subjects,omitempty"` // besides the run
	Annotations  map[string]string   `json:"annotations,omitempty"`
	Checks       []evidence.Check    `json:"checks"`
	Model        *ModelName          `json:"model,omitempty"`
	Set          *evidence.InSet     `json:"set,omitempty"` // nil where the run was signed alone
}

// Failed lists the checks that failed.
func (r *Report) Failed() []evidence.Check {
	r = zero.IfNil(r)
	var failed []evidence.Check
	for _, c := range r.Checks {
		if c.Verdict == evidence.Fail {
			failed = append(failed, c)
		}
	}
	return failed
}

// required are the checks without which nothing is verified.
var required = []evidence.CheckName{evidence.CheckSignature, evidence.CheckSigner, evidence.CheckStatement, evidence.CheckIdentity, evidence.CheckDeclaration}

// requiredInSet are those of a run that is in a set.
var requiredInSet = append([]evidence.CheckName{evidence.CheckInclusion}, required...)

// passed is a check that passed, for a reason that is text as it is.
func passed(name evidence.CheckName, reason string) evidence.Check {
	return evidence.Check{Name: name, Verdict: evidence.Pass, Code: evidence.CodeOK, Reason: reason}
}

// decide makes the final verdict, and is the only function that does: no check failed, and each required one passed.
func decide(checks []evidence.Check, required ...evidence.CheckName) bool {
	for i := range checks {
		if v := checks[i].Verdict; v != evidence.Pass && v != evidence.NotChecked {
			return false
		}
	}
	next := 0 // what is required is mostly in the order of the checks
	for _, name := range required {
		i := passedFrom(checks, next, name)
		if i < 0 {
			return false
		}
		next = i + 1
	}
	return len(required) > 0
}

// passedFrom is where the check of that name is that has passed, looked for from a place on and then before it, or -1.
func passedFrom(checks []evidence.Check, from int, name evidence.CheckName) int {
	for i := from; i < len(checks); i++ {
		if c := &checks[i]; c.Name == name && c.Verdict == evidence.Pass {
			return i
		}
	}
	for i := range min(from, len(checks)) {
		if c := &checks[i]; c.Name == name && c.Verdict == evidence.Pass {
			return i
		}
	}
	return -1
}

// coded gives a code to the checks that came without one: those of another module's Trust.
func coded(checks []evidence.Check) []evidence.Check {
	for i := range checks {
		switch c := &checks[i]; {
		case c.Code != "":
		case c.Verdict == evidence.Pass:
			c.Code = evidence.CodeOK
		case c.Verdict == evidence.NotChecked:
			c.Code = evidence.CodeNotAsked
		default:
			c.Code = evidence.CodeUnspecified
		}
	}
	return checks
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
	return target == signer.ErrSignature && slices.ContainsFunc(e.Report.Checks, func(c evidence.Check) bool {
		return c.Name == evidence.CheckSignature && c.Verdict == evidence.Fail &&
			(c.Code == evidence.CodeSignature || c.Code == evidence.CodeSignatureScheme || c.Code == evidence.CodeSignerUnknown)
	})
}
