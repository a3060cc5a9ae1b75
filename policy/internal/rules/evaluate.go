package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/runattest/runattest/internal/visible"
)

// Set is what the rules of one policy read together. The zero value has no rules. It is safe for concurrent use once the
// rules are added.
type Set struct {
	wants          wanted // of the declaration
	readsAncestors bool
	readsOpen      bool
}

// Add adds a rule that was read.
func (s *Set) Add(r *Rule) {
	for _, ast := range r.expressions() {
		s.wants.add(ast)
		s.readsOpen = s.readsOpen || reads(ast, varOpen)
	}
	s.readsAncestors = s.readsAncestors || r.readsAncestors
}

// ReadsAncestors says whether a rule, or its message, reads `ancestors`.
func (s *Set) ReadsAncestors() bool { return s.readsAncestors }

// ReadsOpen says whether a rule, or its message, reads `open`.
func (s *Set) ReadsOpen() bool { return s.readsOpen }

// Whole is the same set, whose evaluations make values of all of the declaration, not only of what the rules name:
// Explain shows the steps on the way to a value, too.
func (s *Set) Whole() *Set { return &Set{wanted{all: true}, s.readsAncestors, s.readsOpen} }

// Evaluation is one evaluation of a set's rules. It ends with its context. It is not safe for concurrent use.
type Evaluation struct {
	vars        map[string]any
	meter       *meter
	noAncestors error
}

// Evaluate makes values of what the rules read.
func (s *Set) Evaluate(ctx context.Context, v Values) (*Evaluation, error) {
	m := newMeter(ctx)
	vars, err := v.variables(&s.wants)
	if err != nil {
		return nil, err
	}
	if s.readsAncestors {
		vars[varAncestors] = ancestorsOf(v.Ancestors, m)
	}
	return &Evaluation{vars, m, v.NoAncestors}, nil
}

var errNoCondition = errors.New("the rule has no condition")

// Met evaluates the rule. With an error, the rule is not met.
func (e *Evaluation) Met(r *Rule) (bool, error) {
	value, _, err := e.value(r, r.program)
	if err != nil {
		return false, err
	}
	yes, ok := value.(types.Bool)
	if !ok {
		return false, fmt.Errorf("the expression gives %s, want bool", value.Type().TypeName())
	}
	return bool(yes), nil
}

// value evaluates a program of the rule's condition.
func (e *Evaluation) value(r *Rule, program cel.Program) (ref.Val, *cel.EvalDetails, error) {
	switch {
	case program == nil:
		return nil, nil, errNoCondition
	case r.readsAncestors && e.noAncestors != nil:
		return nil, nil, e.noAncestors
	}
	e.meter.begin()
	return e.meter.evaluate(program, e.vars)
}

// Reason is the rule's message with its values, in one line: why it is not met.
func (e *Evaluation) Reason(r *Rule) string {
	if len(r.message) == 0 {
		return visible.OneLine("not met: " + r.Condition())
	}
	e.meter.begin()
	var s strings.Builder
	for _, p := range r.message {
		if p.program == nil {
			s.WriteString(p.text)
			continue
		}
		value, _, err := e.meter.evaluate(p.program, e.vars)
		if err != nil {
			fmt.Fprintf(&s, "(%s)", err)
			continue
		}
		s.WriteString(show(value))
	}
	return visible.OneLine(s.String())
}
