package rules

import (
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
)

// Who approves is one of many, so that not every order of them can be tried. But an expression that compares texts for equality alone
// comes to the same whichever of those approvers it is that are equal to no other text in it: they can stand for one another. So each
// order of the others is tried, with these in between in one order.

// tellApart gives the texts that tell approvers apart in expressions, and has approvers and roles known for them. It gives nil, and
// has them unknown, where there are many approvers and an expression does more with texts than to compare them for equality.
func (w *Worlds) tellApart(all []ast.NavigableExpr) map[string]bool {
	known := func(are bool) { w.Known["Approval.approver"], w.Known["Approval.role"] = are, are }
	if w.Approvals == nil {
		return nil
	}
	if known(true); !w.Many {
		return nil
	}
	named := map[string]bool{}
	for _, s := range w.Signers {
		named[s.Kind], named[s.Name], named[s.Issuer], named[s.Algorithm] = true, true, true, true
	}
	for _, kind := range w.Kinds {
		named[kind] = true
	}
	for _, e := range all {
		if !w.comparesTexts(e, named) {
			known(false)
			return nil
		}
	}
	if !w.Few(named) {
		known(false)
		return nil
	}
	return named
}

// comparesTexts says whether the parts of an expression whose outcome depends on approvals use texts for comparisons alone, and adds
// those that it has to named.
func (w *Worlds) comparesTexts(e ast.NavigableExpr, named map[string]bool) bool {
	if e.Kind() == ast.CallKind {
		switch e.AsCall().FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional:
			for _, part := range e.Children() {
				if !w.comparesTexts(part, named) {
					return false
				}
			}
			return true
		}
	}
	if d, known := w.reads(e); !known || !d.approvals { // comes to anything, or to the same for all lists
		return true
	}
	only := true
	ast.MatchDescendants(e, func(x ast.NavigableExpr) bool {
		switch x.Kind() {
		case ast.LiteralKind:
			if text, ok := x.AsLiteral().(types.String); ok {
				named[string(text)] = true
			}
		case ast.CallKind:
			only = only && isEqualTreatment(x)
		case ast.MapKind, ast.StructKind, ast.UnspecifiedExprKind:
			only = false
		}
		return false
	})
	return only
}

// isEqualTreatment says whether what a call comes to does not depend on which texts its arguments are, but for which are equal.
func isEqualTreatment(x ast.NavigableExpr) bool {
	switch x.AsCall().FunctionName() {
	case operators.Equals, operators.NotEquals, operators.In, operators.Index,
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional, operators.NotStrictlyFalse:
		return true
	case overloads.Size:
		return len(x.Children()) == 1 && x.Children()[0].Type().Kind() == types.ListKind
	case operators.Add:
		if x.Type().Kind() == types.ListKind {
			return true
		}
	}
	for _, part := range append(x.Children(), x) {
		switch part.Type().Kind() {
		case types.BoolKind, types.IntKind, types.UintKind, types.DoubleKind:
		default:
			return false
		}
	}
	return true
}
