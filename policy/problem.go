package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/runattest/runattest/identity"
)

// InvalidError says why a policy is refused: at least one problem, at most 100, in the order
// of their lines.
type InvalidError struct {
	Noun     string // what was read: "policy" or "cases"; of CheckProposals, "policy for these runs"
	Path     string // the file of a policy that was read from one, also one that cases name; empty for others
	Problems []identity.Problem
}

func (e *InvalidError) Error() string {
	if len(e.Problems) == 0 {
		return "invalid " + e.Noun
	}
	s := "invalid " + e.Noun + ": " + e.Problems[0].String()
	if n := len(e.Problems) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// The errors that callers branch on.
var (
	// ErrNoTrustedRoots says that a policy needs certificates, timestamps or logs, and was read without Options.TrustedRoots.
	ErrNoTrustedRoots = errors.New("the policy names a trusted root, and this program reads none")
	// ErrNotOurs says that a policy was asked about a run, or with a lineage, that its own verifier has not verified.
	ErrNotOurs = errors.New("policy: the run, or its lineage, was not verified with the policy's trust; verify it with the policy's Verifier")
	// ErrNoApprovers says that approvals were given to a policy that names no approvers, so that none of them could count.
	ErrNoApprovers = errors.New("the policy names no approvers")
	// ErrSignatureChecks says that finding out who has signed the approvals would cost too much, so that a rejection might be
	// missed. Evaluate denies the run for it.
	ErrSignatureChecks = errors.New("finding out who has signed the approvals takes too many signature checks")
	// ErrAfterSigning says that Decide was asked of a policy that was not read with Options.BeforeSigning.
	ErrAfterSigning = errors.New("the policy may demand what only a signed bundle has: read it with BeforeSigning to ask it before anything is signed")
	// ErrChanged says that a policy's signature is of something else.
	ErrChanged = errors.New("the signature is of another policy")
)

const codeNoTrustedRoots identity.Code = "no-trusted-roots"

// Is says that the error is ErrNoTrustedRoots where that is among the problems.
func (e *InvalidError) Is(target error) bool {
	return target == ErrNoTrustedRoots && e != nil && slices.ContainsFunc(e.Problems, func(p identity.Problem) bool { return p.Code == codeNoTrustedRoots })
}

// Hint is what to do about the first problem, or "".
func (e *InvalidError) Hint() string {
	if len(e.Problems) == 0 {
		return ""
	}
	return e.Problems[0].Hint
}

func sortProblems(problems []identity.Problem) {
	slices.SortStableFunc(problems, func(a, b identity.Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}
