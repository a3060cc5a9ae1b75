package rules

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
)

// checkAlways refuses conditions joined by || of which one is always met: a member is unequal to one of two constants, whatever it is, so
// that a rule that is to forbid both forbids nothing.
func checkAlways(checked *cel.Ast, called calls, behind int) []Problem {
	for _, call := range called.of(operators.LogicalOr) {
		not := map[string][]string{} // of a member, the constants that each condition is about
		for _, one := range joined(operators.LogicalOr, call.Args()...) {
			of, texts := notAmong(one)
			if of == "" || len(texts) == 0 {
				continue
			}
			before, known := not[of]
			if !known {
				not[of] = texts
				continue
			}
			if not[of] = common(before, texts); len(not[of]) > 0 {
				continue
			}
			position := Whole
			if at, ok := checked.NativeRep().SourceInfo().GetOffsetRange(one.ID()); ok {
				position = behind + int(at.Start)
			}
			return []Problem{{codeValue, position, of + " is always unequal to one of these, so that this is always met and forbids nothing", "to forbid each, join them with &&, or write !(" + of + " in [a, b])"}}
		}
	}
	return nil
}

// joined are the conditions that an operator joins.
func joined(operator string, all ...ast.Expr) (parts []ast.Expr) {
	for _, e := range all {
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operator {
			parts = append(parts, joined(operator, e.AsCall().Args()...)...)
			continue
		}
		parts = append(parts, e)
	}
	return parts
}

// notAmong is the member that a condition demands to be none of some constants, and these; "" of another condition.
func notAmong(e ast.Expr) (of string, texts []string) {
	if e.Kind() != ast.CallKind {
		return "", nil
	}
	name, args := e.AsCall().FunctionName(), e.AsCall().Args()
	want := []string{operators.NotEquals}
	if name == operators.LogicalNot && args[0].Kind() == ast.CallKind {
		name, args = args[0].AsCall().FunctionName(), args[0].AsCall().Args()
		want = []string{operators.Equals, operators.In}
	}
	if !slices.Contains(want, name) {
		return "", nil
	}
	of, texts = path(args[0]), textsWritten(args[1])
	if of == "" && name != operators.In {
		of, texts = path(args[1]), textsWritten(args[0])
	}
	return of, texts
}

func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(text string) bool { return !slices.Contains(b, text) })
}
