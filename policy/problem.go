package policy

import (
	"fmt"
	"slices"

	"github.com/runattest/runattest/identity"
)

// InvalidError says why a policy is refused: at least one problem, at most 100, in the order
// of their lines.
type InvalidError struct {
	Noun     string // what was read: "policy" or "cases"
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
