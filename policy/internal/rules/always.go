package rules

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// checkAlways refuses conditions that are always met, since what they forbid is two things at once: a member is unequal to one of two
// constants, whatever it is, so that a rule that is to forbid both forbids nothing.
func checkAlways(checked *cel.Ast, behind int) []Problem {
	info := checked.NativeRep().SourceInfo()
	var found []Problem
	refuse := func(e ast.Expr, what, hint string) {
		position := Whole
		if at, ok := info.GetOffsetRange(e.ID()); ok {
			position = behind + int(at.Start)
		}
		found = []Problem{{codeValue, position, what, hint}}
	}
	eachPart(checked, func(e ast.Expr) {
		hint, forbidden := "to demand both, join them with &&", demands{}
		switch {
		case len(found) > 0:
			return
		case e.Kind() == ast.ComprehensionKind:
			if of := neverFound(checked, e.AsComprehension()); of != "" {
				refuse(e, of+" is never two things at once, so that no element meets this", "to find either, join them with ||")
				return
			}
			forbidden.add(checked, e, false)
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalOr:
			forbidden.add(checked, e, false)
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalNot:
			forbidden.add(checked, e.AsCall().Args()[0], true)
			hint = "to forbid both, join them with ||"
		}
		of, twice := forbidden.contradiction()
		if of == "" {
			return
		}
		what := of + " is always unequal to one of these, so that this is always met"
		if twice != "" {
			what = of + " is never " + twice + ", so that this is met by every number"
		} else {
			hint = "to forbid each, write !(" + of + " in [a, b])"
		}
		refuse(e, what+" and forbids nothing", hint)
	})
	return found
}

// neverFound is what the condition of exists, exists_one or filter asks to be two things at once, "" if it does not.
func neverFound(checked *cel.Ast, c ast.ComprehensionExpr) string {
	step := c.LoopStep()
	if step.Kind() != ast.CallKind {
		return ""
	}
	var condition ast.Expr
	switch args := step.AsCall().Args(); step.AsCall().FunctionName() {
	case operators.LogicalOr:
		condition = args[1]
	case operators.Conditional:
		condition = args[0]
	default:
		return ""
	}
	var asked demands
	asked.add(checked, condition, true)
	if all := asked.contradicted(); len(all) > 0 {
		return all[0]
	}
	return ""
}
