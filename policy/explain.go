package policy

import (
	"context"
	"time"

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
	values, _ := p.values(s)
	evaluation, err := p.set.Whole().Evaluate(limited, values)
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

// Lines tells how the decision came about, for people: each rule with its value and what decided it, each approval,
// warning and denial. rules are what Explain gave for the same decision.
func (d *Decision) Lines(rules []Explanation) []string {
	d = zero.IfNil(d)
	lines := []string{"run " + d.Identity.String(), "at  " + d.Now.Format(time.RFC3339) + " (" + d.Clock + ")"}
	if d.OpenBy != "" {
		lines = append(lines, "open by "+d.OpenBy)
	}
	for _, r := range rules {
		lines = append(lines, "rule "+r.Rule+" ("+string(r.Severity)+"): "+met(r.Value), "  "+r.Expr)
		for _, s := range r.Because {
			lines = append(lines, "    "+s.Expr+" = "+s.Value)
		}
	}
	for _, a := range d.Approvals {
		lines = append(lines, a.String())
	}
	for _, w := range d.Warnings {
		lines = append(lines, "warning: "+w.String())
	}
	for _, denial := range d.Denials {
		lines = append(lines, "denied by "+denial.String())
	}
	return lines
}

// met says what a rule's value means.
func met(value string) string {
	switch value {
	case "true":
		return "met"
	case "false":
		return "NOT met"
	}
	return value
}
