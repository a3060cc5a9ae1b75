package rules

import (
	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/runattest/runattest/internal/visible"
)

// Step is a sub-expression and what it came to.
type Step struct{ Expr, Value string }

// Explain evaluates the rule as Met does, and tells what decided: true, false or the error that stands for no, and the
// sub-expressions that made it so, of a loop those of its last round. The evaluation is one of Set.Whole. The error is that
// the rule could not be explained.
func (e *Evaluation) Explain(r *Rule) (value string, because []Step, err error) {
	var program cel.Program
	if r.ast != nil {
		known, err := environment()
		if err == nil {
			program, err = known.Program(r.ast, programOptions(cel.EvalOptions(cel.OptTrackState))...)
		}
		if err != nil {
			return "", nil, err
		}
	}
	e.meter.named = map[string]string{}
	came, details, err := e.value(r, program)
	if err != nil {
		value = "error: " + visible.OneLine(err.Error())
	} else {
		value = show(came)
	}
	if details != nil && details.State() != nil {
		t := tracer{ast: r.ast.NativeRep(), value: details.State().Value, named: e.meter.named, seen: map[string]bool{}}
		t.decide(t.ast.Expr())
		because = t.steps
	}
	return value, because, nil
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
	step := Step{visible.OneLine(text), visible.OneLine(literal(value))}
	if types.IsError(value) {
		step.Value = visible.OneLine("error: " + value.(*types.Err).Error())
	}
	t.add(step)
}

func (t *tracer) add(step Step) {
	if key := step.Expr + "\x00" + step.Value; !t.seen[key] && step.Expr != "@result" {
		t.seen[key] = true
		t.steps = append(t.steps, step)
	}
}
