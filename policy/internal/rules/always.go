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
	eachPart(checked, func(e ast.Expr) {
		hint, forbidden := "to demand both, join them with &&", demands{}
		switch {
		case len(found) > 0:
			return
		case e.Kind() == ast.ComprehensionKind, e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalOr:
			forbidden.add(info, e, false)
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalNot:
			forbidden.add(info, e.AsCall().Args()[0], true)
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
		position := Whole
		if at, ok := info.GetOffsetRange(e.ID()); ok {
			position = behind + int(at.Start)
		}
		found = []Problem{{codeValue, position, what + " and forbids nothing", hint}}
	})
	return found
}
