package policy

import (
	"context"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

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
	e, err := environment()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, evaluationTime)
	defer cancel()
	m := newMeter(limited)
	vars, noAncestors, err := p.variables(s, m, &wanted{all: true}) // steps on the way to a value are shown, too
	if err != nil {
		return nil, err
	}
	all := []Explanation{}
	for _, r := range p.rules {
		if r.readsAncestors && noAncestors != nil {
			all = append(all, Explanation{r.name, r.severity, r.text(), "error: " + oneLine(noAncestors.Error()), []Step{}})
			continue
		}
		program, err := e.Program(r.ast, programOptions(cel.EvalOptions(cel.OptTrackState))...)
		if err != nil {
			return nil, err
		}
		m.begin()
		m.named = map[string]string{}
		value, details, err := m.evaluate(program, vars)
		one := Explanation{Rule: r.name, Severity: r.severity, Expr: r.text(), Because: []Step{}}
		if err != nil {
			one.Value = "error: " + err.Error()
		} else {
			one.Value = show(value)
		}
		if details != nil && details.State() != nil {
			t := tracer{ast: r.ast.NativeRep(), value: details.State().Value, named: m.named, seen: map[string]bool{}}
			t.decide(t.ast.Expr())
			one.Because = t.steps
		}
		all = append(all, one)
	}
	return all, ctx.Err()
}

// tracer walks an expression after it was evaluated.
type tracer struct {
	ast   *celast.AST
	value func(id int64) (ref.Val, bool)
	named map[string]string
	steps []Step
	seen  map[string]bool
}

// decide follows what made e what it is, and notes the comparisons and the values in them.
func (t *tracer) decide(e celast.Expr) {
	value, ok := t.value(e.ID())
	switch e.Kind() {
	case celast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr:
			t.operands(call.Args(), value)
			return
		case operators.LogicalNot, operators.NotStrictlyFalse:
			t.decide(call.Args()[0])
			return
		case operators.Conditional:
			t.decide(call.Args()[0])
			for _, branch := range call.Args()[1:] {
				if _, taken := t.value(branch.ID()); taken {
					t.decide(branch)
				}
			}
			return
		}
		t.note(e, value, ok)
		for _, arg := range call.Args() {
			t.leaf(arg)
		}
		if call.IsMemberFunction() {
			t.leaf(call.Target())
		}
	case celast.ComprehensionKind:
		t.note(e, value, ok)
		t.leaf(e.AsComprehension().IterRange())
		if name := e.AsComprehension().IterVar(); t.named[name] != "" {
			t.add(Step{name, t.named[name]})
		}
		t.decide(e.AsComprehension().LoopStep())
	case celast.LiteralKind, celast.IdentKind:
	default:
		t.note(e, value, ok)
	}
}

// operands follows those that decided: of a true || the true one, of a false && the false one.
func (t *tracer) operands(args []celast.Expr, whole ref.Val) {
	var decisive []celast.Expr
	for _, a := range args {
		if v, ok := t.value(a.ID()); ok && whole != nil && v.Equal(whole) == types.True {
			decisive = append(decisive, a)
		}
	}
	if len(decisive) == 0 {
		decisive = args
	}
	for _, a := range decisive {
		t.decide(a)
	}
}

// leaf notes a value that a comparison is about.
func (t *tracer) leaf(e celast.Expr) {
	switch e.Kind() {
	case celast.LiteralKind, celast.ListKind, celast.MapKind:
		return
	case celast.CallKind:
		value, ok := t.value(e.ID())
		t.note(e, value, ok)
		for _, arg := range e.AsCall().Args() {
			t.leaf(arg)
		}
		return
	}
	value, ok := t.value(e.ID())
	t.note(e, value, ok)
}

func (t *tracer) note(e celast.Expr, value ref.Val, ok bool) {
	text, err := cel.ExprToString(e, t.ast.SourceInfo())
	if err != nil || !ok || value == nil {
		return
	}
	step := Step{oneLine(text), oneLine(literal(value))}
	if types.IsError(value) {
		step.Value = oneLine("error: " + value.(*types.Err).Error())
	}
	t.add(step)
}

func (t *tracer) add(step Step) {
	if key := step.Expr + "\x00" + step.Value; !t.seen[key] && step.Expr != "@result" {
		t.seen[key] = true
		t.steps = append(t.steps, step)
	}
}
