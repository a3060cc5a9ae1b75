package evidence

import (
	"fmt"
	"strings"

	"github.com/runattest/runattest/internal/visible"
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
	CheckInclusion   CheckName = "inclusion"   // of a run set alone: the run is in the signed tree, or all runs are
	CheckSubject     CheckName = "subject"     // the artifacts given are among the subjects
	CheckPolicy      CheckName = "policy"      // the policy's rules
	CheckSource      CheckName = "source"      // the source given declares the run; only where one is given
)

// Verdict is the answer of one check.
type Verdict string

// The verdicts. NotChecked does not mean yes: the report says why nothing was asked.
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
	Hint    Hint      `json:"hint,omitempty"`
	Details []string  `json:"details,omitempty"` // one line each, where there is more than one reason
	Code    Code      `json:"code"`              // the reason in a word, for programs
}

// Passed is a check that was answered with yes.
func Passed(name CheckName, format string, args ...any) Check {
	return Check{Name: name, Verdict: Pass, Code: CodeOK, Reason: text(format, args)}
}

// Failed is a check that was answered with no, and which no.
func Failed(name CheckName, code Code, format string, args ...any) Check {
	return Check{Name: name, Verdict: Fail, Code: code, Reason: visible.Cut(fmt.Sprintf(format, args...))}
}

// Skipped is a check that was not made: CodeNotAsked or CodeNotReached, and why.
func Skipped(name CheckName, code Code, format string, args ...any) Check {
	return Check{Name: name, Verdict: NotChecked, Code: code, Reason: text(format, args)}
}

// WithHint is the check with what to do about it.
func (c Check) WithHint(hint Hint) Check {
	c.Hint = hint
	return c
}

// text is Sprintf, without a copy of what has nothing to be filled in.
func text(format string, args []any) string {
	if len(args) == 0 && strings.IndexByte(format, '%') < 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}
