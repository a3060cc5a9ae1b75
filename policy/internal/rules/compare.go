package rules

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// comparison is of a member, as in words, with a constant.
type comparison struct{ member, text string }

// comparisons are those of an expression that was type-checked: by ==, by != and by `in`, on either side.
func comparisons(checked *cel.Ast) []comparison {
	if checked == nil {
		return nil
	}
	var found []comparison
	for _, call := range ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), ast.KindMatcher(ast.CallKind)) {
		found = append(found, compared(checked, call)...)
	}
	return found
}

// compared are the comparisons of one call, none if it is of something else. The call and its arguments know their parents.
func compared(checked *cel.Ast, call ast.Expr) []comparison {
	switch call.AsCall().FunctionName() {
	case operators.Equals, operators.NotEquals, operators.In:
	default:
		return nil
	}
	var found []comparison
	compare := func(x, y ast.Expr) {
		member := memberOf(checked, x)
		if member == "" {
			return
		}
		for _, text := range constantsOf(y) {
			found = append(found, comparison{member, text})
		}
	}
	args := call.AsCall().Args()
	compare(args[0], args[1])
	compare(args[1], args[0])
	return found
}

// memberOf is the member, as in words, whose texts an expression has: the member itself, a variable that runs over it,
// one of its elements by number, and what map and filter make of it. It is "" of any other expression.
func memberOf(checked *cel.Ast, e ast.Expr) string {
	if operand, name := selection(e); operand != nil {
		return checked.NativeRep().GetType(operand.ID()).TypeName() + "." + name
	}
	switch e.Kind() {
	case ast.IdentKind:
		if over := rangeOf(e); over != nil {
			return memberOf(checked, over)
		}
	case ast.CallKind:
		if c := e.AsCall(); c.FunctionName() == operators.Index {
			return memberOf(checked, c.Args()[0])
		}
	case ast.ComprehensionKind:
		if one := elementOf(e.AsComprehension()); one != nil {
			return memberOf(checked, one)
		}
	}
	return ""
}

// constantsOf are the texts of a constant, of a list of them, and of a variable that runs over such a list.
func constantsOf(e ast.Expr) []string {
	switch e.Kind() {
	case ast.LiteralKind:
		return []string{textOf(e.AsLiteral())}
	case ast.ListKind:
		var all []string
		for _, one := range e.AsList().Elements() {
			all = append(all, constantsOf(one)...)
		}
		return all
	case ast.IdentKind:
		if over := rangeOf(e); over != nil {
			return constantsOf(over)
		}
	}
	return nil
}

// rangeOf is the list that a variable of exists, all, exists_one, filter or map runs over, nil of another variable.
func rangeOf(variable ast.Expr) ast.Expr {
	child, ok := variable.(ast.NavigableExpr)
	if !ok {
		return nil
	}
	for parent, ok := child.Parent(); ok; parent, ok = parent.Parent() {
		if parent.Kind() == ast.ComprehensionKind {
			c := parent.AsComprehension()
			inside := child.ID() != c.IterRange().ID() && child.ID() != c.AccuInit().ID()
			switch {
			case inside && c.IterVar() == variable.AsIdent() && child.ID() != c.Result().ID():
				return c.IterRange()
			case inside && c.AccuVar() == variable.AsIdent(): // of optMap, and what map and filter collect
				return nil
			}
		}
		child = parent
	}
	return nil
}

// elementOf is what map or filter adds to its list for each element, nil of another comprehension.
func elementOf(c ast.ComprehensionExpr) ast.Expr {
	step := c.LoopStep()
	if step.Kind() == ast.CallKind && step.AsCall().FunctionName() == operators.Conditional {
		step = step.AsCall().Args()[1]
	}
	if step.Kind() != ast.CallKind || step.AsCall().FunctionName() != operators.Add {
		return nil
	}
	list, one := step.AsCall().Args()[0], step.AsCall().Args()[1]
	if list.Kind() != ast.IdentKind || list.AsIdent() != c.AccuVar() || one.Kind() != ast.ListKind || one.AsList().Size() != 1 {
		return nil
	}
	return one.AsList().Elements()[0]
}
