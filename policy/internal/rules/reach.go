package rules

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"

	"github.com/runattest/runattest/internal/limits"
)

// Worlds are the runs that a policy allows if its rules do, as far as rules tell them apart by members that are Known. What else
// a rule reads may be anything.
type Worlds struct {
	// Known are the members of which the worlds have every value, as "Run.kind".
	Known map[string]bool
	Kinds []string
	// Signers are those who may sign a run.
	Signers []Signer
	// Left is how many worlds may still be tried; without any, every condition can be met.
	Left int
	// Approvals gives the lists of approvals that a run by the signer of that index may have; nil if there are none. Where there are
	// Many approvers, named are the texts that tell them apart. It is nil where approvers and roles are not looked at.
	Approvals func(signer int, named map[string]bool) iter.Seq[Approvals]
	Dated     bool // all have a trusted time
	Many      bool // more approvers than can be put in every order
	// Few says whether the orders are few enough to be tried, of many approvers that only these texts tell apart.
	Few func(named map[string]bool) bool

	together bool // one of them meets all rules
}

// The dimensions of worlds that an expression reads.
type dimensions struct{ kind, signer, approvals bool }

func (d dimensions) String() string {
	var all []string
	for _, one := range []struct {
		name  string
		reads bool
	}{{"kind", d.kind}, {"signer", d.signer}, {"list of approvals", d.approvals}} {
		if one.reads {
			all = append(all, one.name)
		}
	}
	return strings.Join(all, " and ")
}

func (d dimensions) or(other dimensions) dimensions {
	return dimensions{d.kind || other.kind, d.signer || other.signer, d.approvals || other.approvals}
}

// each gives the worlds that differ in these dimensions; of the others there is one value.
func (w *Worlds) each(d dimensions, named map[string]bool) iter.Seq[Values] {
	return func(yield func(Values) bool) {
		kinds, signers := w.Kinds, len(w.Signers)
		if !d.kind {
			kinds = kinds[:1]
		}
		if !d.signer && !d.approvals {
			signers = 1
		}
		for i := range signers {
			lists := func(yield func(Approvals) bool) { yield(Approvals{}) }
			if d.approvals && w.Approvals != nil {
				lists = w.Approvals(i, named)
			}
			for list := range lists {
				for _, kind := range kinds {
					declaration := []byte(`{"kind":"` + kind + `"}`)
					if !yield(Values{Declaration: func() []byte { return declaration }, Run: Run{Kind: kind}, Signer: w.Signers[i], Approvals: list}) {
						return
					}
				}
			}
		}
	}
}

// outcome is what an expression can come to: neither is an error.
type outcome struct{ yes, no bool }

var open = outcome{true, true}

// outcomes of an expression in one world.
type outcomes func(e *Evaluation) outcome

// isReachable says whether the condition is true in one of the worlds at least, and by which dimensions they differ. A condition that
// reads nothing of them is: it is false on purpose.
func (r *Rule) isReachable(w *Worlds) (bool, dimensions) {
	if r.ast == nil || w != nil && w.together {
		return true, dimensions{}
	}
	met, d := w.met([]*Rule{r})
	return met == nil || met["1"], d
}

// met tries rules in the worlds until one may meet all, and gives which of them may be met together: a digit for each rule, 1 if it may.
// It is nil where that is not known, and of rules that read nothing of the worlds.
func (w *Worlds) met(all []*Rule) (map[string]bool, dimensions) {
	if w == nil || len(w.Kinds) == 0 || len(w.Signers) == 0 {
		return nil, dimensions{}
	}
	conditions := make([]ast.NavigableExpr, len(all))
	for i, r := range all {
		conditions[i] = ast.NavigateAST(r.ast.NativeRep())
	}
	named := w.tellApart(conditions)
	of := map[int]outcomes{} // of those that read something of the worlds
	var read dimensions
	for i, r := range all {
		if one, d := w.outcomesOf(conditions[i], r.ast); d != (dimensions{}) {
			of[i], read = one, read.or(d)
		}
	}
	if read == (dimensions{}) {
		return nil, read
	}
	met := map[string]bool{}
	m := newMeter(context.Background())
	m.begin() // once for all worlds
	for v := range w.each(read, named) {
		vars, err := v.variables(&wanted{all: true})
		if w.Left -= len(of); err != nil || w.Left < 0 {
			return nil, read
		}
		digits, e := []byte(strings.Repeat("1", len(all))), &Evaluation{vars: vars, meter: m}
		for i, outcomes := range of {
			if !outcomes(e).yes {
				digits[i] = '0'
			}
		}
		if m.rule == 0 || m.all == 0 {
			return nil, read
		}
		if met[string(digits)] = true; !slices.Contains(digits, '0') {
			break
		}
	}
	return met, read
}

// Together tries all rules that are to be checked in the worlds. If one of these meets them all, as in most policies, they need not be
// tried alone.
func (w *Worlds) Together(all []*Rule) {
	left := w.Left
	w.Left = min(left, limits.WorldsTogether) // what is not found here is looked for with the rest
	met, read := w.met(all)
	w.Left, w.together = left, read == dimensions{} || met[strings.Repeat("1", len(all))]
}

// Exclusive are rules, by their places, that no run meets together: two of them, if two are found that suffice, or more.
// It is nil if a run may meet all. Each rule alone must have passed Check.
func Exclusive(all []*Rule, w *Worlds) []int {
	if no := contradicting(all); no != nil {
		return no
	}
	if w.together {
		return nil
	}
	met, _ := w.met(all)
	if met == nil || met[strings.Repeat("1", len(all))] {
		return nil
	}
	var some []int
	for j := range all {
		for i := range j {
			if !anyKey(met, func(digits string) bool { return digits[i] == '1' && digits[j] == '1' }) {
				return []int{i, j}
			}
		}
		if anyKey(met, func(digits string) bool { return digits[j] == '0' }) {
			some = append(some, j)
		}
	}
	return some
}

// contradicting are rules that demand of a member to be several things: two of them, if two are found that do.
func contradicting(all []*Rule) []int {
	each, together := make([]demands, len(all)), demands{}
	for i, r := range all {
		each[i].add(r.ast, r.ast.NativeRep().Expr(), true)
		together.join(&each[i])
	}
	var some []int
	left := limits.RulePairs
	for _, of := range together.contradicted() {
		var asking []int
		for i := range all {
			if each[i].asks(of) {
				asking = append(asking, i)
			}
		}
		for n, j := range asking {
			for _, i := range asking[:n] {
				if left -= each[i].size(of) * each[j].size(of); left < 0 {
					break
				}
				both := each[i].about(of)
				both.join(each[j].about(of))
				if len(both.contradicted()) > 0 {
					return []int{i, j}
				}
			}
		}
		if some == nil {
			some = asking
		}
	}
	var joined demands
	for n, i := range some { // no more than it takes
		if joined.join(&each[i]); len(joined.contradicted()) > 0 {
			return some[:n+1]
		}
	}
	return some
}

func anyKey(all map[string]bool, is func(string) bool) bool {
	for key := range all {
		if is(key) {
			return true
		}
	}
	return false
}

// outcomesOf divides an expression by its logic. A part that reads something unknown, or nothing of the worlds, comes to anything.
func (w *Worlds) outcomesOf(e ast.NavigableExpr, checked *cel.Ast) (outcomes, dimensions) {
	anything := func(*Evaluation) outcome { return open }
	if e.Kind() == ast.CallKind {
		var parts []outcomes
		var d dimensions
		part := func(i int) {
			of, read := w.outcomesOf(e.Children()[i], checked)
			parts, d = append(parts, of), d.or(read)
		}
		switch e.AsCall().FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr:
			and := e.AsCall().FunctionName() == operators.LogicalAnd
			for i := range e.Children() {
				part(i)
			}
			return func(e *Evaluation) outcome {
				o := outcome{and, !and}
				for _, of := range parts {
					if one := of(e); and {
						o = outcome{o.yes && one.yes, o.no || one.no}
					} else {
						o = outcome{o.yes || one.yes, o.no && one.no}
					}
				}
				return o
			}, d
		case operators.LogicalNot:
			part(0)
			return func(e *Evaluation) outcome {
				o := parts[0](e)
				return outcome{o.no, o.yes}
			}, d
		case operators.Conditional:
			part(0)
			part(1)
			part(2)
			return func(e *Evaluation) outcome {
				var o outcome
				condition := parts[0](e)
				if condition.yes {
					o = parts[1](e)
				}
				if condition.no {
					other := parts[2](e)
					o = outcome{o.yes || other.yes, o.no || other.no}
				}
				return o
			}, d
		}
	}
	d, known := w.reads(e)
	if !known || d == (dimensions{}) {
		whatever := (&certain{checked: checked, dated: w.Dated}).outcome(e)
		return func(*Evaluation) outcome { return whatever }, dimensions{}
	}
	env, err := environment()
	if err != nil {
		return anything, dimensions{}
	}
	rep := checked.NativeRep()
	program, err := env.PlanProgram(ast.NewCheckedAST(ast.NewAST(e, rep.SourceInfo()), rep.TypeMap(), rep.ReferenceMap()), programOptions()...)
	if err != nil {
		return anything, dimensions{}
	}
	return func(e *Evaluation) outcome {
		value, _, err := e.meter.evaluate(program, e.vars)
		if yes, ok := value.(types.Bool); err == nil && ok {
			return outcome{bool(yes), !bool(yes)}
		}
		return outcome{} // an error, which meets nothing
	}, d
}

// reads says which dimensions an expression reads, and whether it reads nothing that is unknown: neither another variable, nor another
// member, nor an object as a whole.
func (w *Worlds) reads(e ast.NavigableExpr) (d dimensions, known bool) {
	known = true
	ast.MatchDescendants(e, func(x ast.NavigableExpr) bool {
		if x.Kind() == ast.IdentKind {
			switch x.AsIdent() {
			case varTime, varAnnotations, varAncestors, varOpen, varNow, "." + varTime, "." + varAnnotations, "." + varAncestors, "." + varOpen, "." + varNow:
				known = false
			case varRun, varDeclaration, "." + varRun, "." + varDeclaration:
				d.kind = true
			case varSigner, "." + varSigner:
				d.signer = true
			case varApprovals, "." + varApprovals:
				d.approvals = true
			}
		}
		known = known && (!holdsObject(x.Type()) || w.isKnownUse(x))
		return false
	})
	return d, known
}

// isKnownUse says whether an object, or a list of them, is used for a member that is known, or where the use of what it goes into
// is looked at as well.
func (w *Worlds) isKnownUse(x ast.NavigableExpr) bool {
	parent, ok := x.Parent()
	if !ok {
		return false
	}
	if operand, name := selection(parent); operand != nil && operand.ID() == x.ID() {
		t := x.Type()
		for t.TypeName() == "optional_type" {
			t = t.Parameters()[0]
		}
		return w.Known[t.TypeName()+"."+name]
	}
	switch parent.Kind() {
	case ast.ComprehensionKind:
		return parent.AsComprehension().IterRange().ID() == x.ID() || holdsObject(parent.Type())
	case ast.ListKind:
		return holdsObject(parent.Type())
	case ast.CallKind:
		switch parent.AsCall().FunctionName() {
		case overloads.Size:
			return true
		case operators.Index, operators.OptIndex, operators.Add, operators.Conditional:
			return holdsObject(parent.Type())
		}
	}
	return false
}

// holdsObject says whether a type is one of objects, or of lists and the like of them.
func holdsObject(t *types.Type) bool {
	return objects()[t.TypeName()] != nil || slices.ContainsFunc(t.Parameters(), holdsObject)
}
