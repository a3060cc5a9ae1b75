package policy

import (
	"context"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/zero"
)

// Explanation is how one rule came to its answer.
type Explanation struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Expr     string   `json:"expr"`
	Value    string   `json:"value"` // true, false, or the error that stands for no
	// Because are the sub-expressions that decided, each with its value: of a loop those of its
	// last round, which is the one that ended it.
	Because []Step `json:"because"`
}

// Step is a sub-expression and what it came to.
type Step struct {
	Expr  string `json:"expr"`
	Value string `json:"value"`
}

// Explain evaluates the rules as Evaluate does, and tells what decided each.
func (p *Policy) Explain(ctx context.Context, v *attest.Verified, given Given) ([]Explanation, error) {
	p = zero.IfNil(p)
	s, err := p.subjectOf(ctx, v, given)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, evaluationTime)
	defer cancel()
	evaluation, err := p.set.Whole().Evaluate(limited, p.values(s))
	if err != nil {
		return nil, err
	}
	all := []Explanation{}
	for _, r := range p.rules {
		value, because, err := evaluation.Explain(&r.Rule)
		if err != nil {
			return nil, err
		}
		one := Explanation{Rule: r.name, Severity: r.severity, Expr: r.Condition(), Value: value, Because: []Step{}}
		for _, step := range because {
			one.Because = append(one.Because, Step(step))
		}
		all = append(all, one)
	}
	return all, ctx.Err()
}
