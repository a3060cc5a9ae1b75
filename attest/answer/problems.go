package answer

import (
	"fmt"
	"slices"

	"github.com/runattest/runattest/identity"
)

// Problems are the answer about a declaration, a policy or another file that is written by hand, or the error that kept it from one.
type Problems struct {
	Error    string             `json:"error,omitempty"`
	File     string             `json:"file"`
	Problems []identity.Problem `json:"problems"` // never nil
	Valid    bool               `json:"valid"`
}

// NewProblems is the answer about the file of that name, which is valid if none of its problems is an error. With strict, all are.
func NewProblems(file string, problems []identity.Problem, strict bool) Problems {
	p := Problems{File: file, Problems: append([]identity.Problem{}, problems...)}
	for i := range p.Problems {
		if strict {
			p.Problems[i].Severity = identity.Error
		}
	}
	p.Valid = !slices.ContainsFunc(p.Problems, func(p identity.Problem) bool { return p.Severity == identity.Error })
	return p
}

// Lines are the answer for people.
func (p Problems) Lines() []string {
	var lines []string
	for _, problem := range p.Problems {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", p.File, problem.Severity, problem))
		if problem.Hint != "" {
			lines = append(lines, "  hint: "+problem.Hint)
		}
	}
	if len(lines) == 0 {
		return []string{p.File + ": no problems"}
	}
	return lines
}
