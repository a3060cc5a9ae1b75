package rules

import (
	"context"
	"errors"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"github.com/runattest/runattest/internal/limits"
)

// CEL's own cost limit is not used: its tracker keeps a stack that grows with every step of a
// loop and is searched at each one, so that a plain all() over 100,000 elements takes minutes
// before any limit stops it; and it counts nothing for `in` and nested equality.
//
// Here each variable that an expression looks at costs the number of values in what it finds.
// Whatever a function is given comes from variables, and each round of a loop looks at one at
// least, so that this bounds both.

// meter counts what one evaluation of a policy's rules costs.
type meter struct {
	ctx   context.Context
	rule  uint64 // what is left for the rule at hand
	all   uint64 // what is left for all of them
	steps uint
	on    bool              // an expression is being evaluated
	named map[string]string // variables whose values have labels, as they were looked at last; nil if they are not needed
}

const varMeter = "@meter" // no expression can name it

var (
	errRuleCost = errors.New("cost limit exceeded: the declaration, or the lineage, is too large for this rule, or the rule goes through it too often")
	errAllCost  = errors.New("cost limit exceeded: the rules together go through the declaration, or the lineage, too often")
)

func newMeter(ctx context.Context) *meter { return &meter{ctx: ctx, all: limits.EvaluationCost} }

// begin gives the next rule its own limit.
func (m *meter) begin() { m.rule = limits.RuleCost }

func (m *meter) charge(n uint64) {
	m.rule -= min(m.rule, n)
	m.all -= min(m.all, n)
	m.steps++
	switch {
	case m.rule == 0:
		stop(errRuleCost)
	case m.all == 0:
		stop(errAllCost)
	case n > 1000 || m.steps%1000 == 0:
		m.heedTime()
	}
}

// heedTime ends the evaluation where its time is over.
func (m *meter) heedTime() {
	if err := m.ctx.Err(); err != nil {
		stop(err)
	}
}

// work charges for what a value takes that is made when it is looked at. To show one is free: that is bounded.
func (m *meter) work(n int) {
	if m.on {
		m.charge(uint64(n))
	}
}

// stop ends the evaluation, whatever || or && would make of an error.
func stop(err error) {
	panic(interpreter.EvalCancelledError{Cause: interpreter.CostLimitExceeded, Message: err.Error()})
}

// metered is a variable, with what it leads to, that is counted.
type metered struct {
	interpreter.InterpretableAttribute
	flat bool   // a loop's own result, which is not gone through
	root string // the variable
}

var _ interpreter.InterpretableAttribute = (*metered)(nil)

func meterAttributes(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	if call, ok := i.(interpreter.InterpretableCall); ok {
		switch call.Function() {
		case functionJSON:
			return &meteredText{call}, nil
		case overloads.Matches:
			return &timedMatch{call}, nil
		}
		return &typedCall{call}, nil
	}
	attribute, ok := i.(interpreter.InterpretableAttribute)
	if _, already := i.(*metered); !ok || already {
		return i, nil
	}
	made := &metered{InterpretableAttribute: attribute}
	if named, ok := attribute.Attr().(interpreter.NamespacedAttribute); ok {
		names := named.CandidateVariableNames()
		made.root, made.flat = names[0], slices.Contains(names, "@result")
	}
	return made, nil
}

// meteredText is a call of json. Of its own text each one makes twice as much, quotes and backslashes escaped, so
// that what is made counts too: at half of what it weighs.
type meteredText struct{ interpreter.InterpretableCall }

// Exec evaluates the call.
func (c *meteredText) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	text := c.InterpretableCall.Exec(frame)
	m, ok := meterIn(frame)
	if !ok {
		return errNoMeter
	}
	m.charge(weight(text)/2 + 1)
	return text
}

// Eval evaluates the call.
func (c *meteredText) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

// timedMatch is a call of matches. What it takes is the expression's doing as much as the text's, which alone is counted, so
// that the clock is asked each time.
type timedMatch struct{ interpreter.InterpretableCall }

// Exec evaluates the call.
func (c *timedMatch) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	m, ok := meterIn(frame)
	if !ok {
		return errNoMeter
	}
	m.heedTime()
	return c.InterpretableCall.Exec(frame)
}

// Eval evaluates the call.
func (c *timedMatch) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

var errNoMeter = types.NewErr("evaluated without a meter")

// meterIn is the meter of an evaluation.
func meterIn(frame *interpreter.ExecutionFrame) (*meter, bool) {
	found, _ := frame.ResolveName(varMeter)
	m, ok := found.(*meter)
	return m, ok
}

// AddQualifier keeps the attribute metered.
func (a *metered) AddQualifier(q interpreter.Qualifier) (interpreter.Attribute, error) {
	_, err := a.InterpretableAttribute.AddQualifier(q)
	return a, err
}

// Exec evaluates the attribute.
func (a *metered) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := a.InterpretableAttribute.Exec(frame)
	m, ok := meterIn(frame)
	switch {
	case !ok:
		return errNoMeter
	case a.flat:
		m.charge(1)
	default:
		m.charge(weight(value))
	}
	if m.named != nil {
		if root, _ := frame.ResolveName(a.root); root != nil {
			if o, ok := root.(*ordered); ok && o.label != "" {
				m.named[a.root] = o.label
			}
		}
	}
	return value
}

// Eval evaluates the attribute.
func (a *metered) Eval(vars interpreter.Activation) ref.Val { return a.Exec(interpreter.AsFrame(vars)) }

// weight is how many values there are in v; four bytes of text weigh as much as one.
func weight(v ref.Val) uint64 {
	switch v := v.(type) {
	case types.String:
		return uint64(len(v))/4 + 1
	case types.Bytes:
		return uint64(len(v))/4 + 1
	case *types.Optional:
		if v.HasValue() {
			return 1 + weight(v.GetValue())
		}
		return 1
	case *ordered:
		return v.weight
	case *array:
		return v.weight
	case traits.Mapper:
		n := uint64(1)
		for i := v.Iterator(); i.HasNext() == types.True; {
			key := i.Next()
			n += weight(key) + weight(v.Get(key))
		}
		return n
	case traits.Lister:
		n := uint64(1)
		for i := v.Iterator(); i.HasNext() == types.True; {
			n += weight(i.Next())
		}
		return n
	}
	return 1
}

// evaluate runs a program on what is left. Errors are the rule's or the declaration's.
func (m *meter) evaluate(p cel.Program, vars map[string]any) (ref.Val, *cel.EvalDetails, error) {
	if m.all == 0 {
		return nil, nil, errAllCost
	}
	vars[varMeter] = m
	m.on = true
	value, details, err := p.ContextEval(m.ctx, vars)
	m.on = false
	if err != nil {
		return nil, details, errors.New(evaluationError(err))
	}
	return value, details, nil
}
