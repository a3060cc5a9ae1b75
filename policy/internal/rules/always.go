package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
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

// checkBegins refuses beginnings, ends and parts that no identity and no digest has, such as "sha256:" of a digest.
func checkBegins(checked *cel.Ast, called calls, behind int) []Problem {
	for _, function := range []string{overloads.StartsWith, overloads.EndsWith, overloads.Contains} {
		for _, call := range called.of(function) {
			if !call.IsMemberFunction() || len(call.Args()) != 1 {
				continue
			}
			text, isText := constantIn(call.Args()[0]).(types.String)
			of := textsIn(checked, call.Target())
			if !isText || of.open || len(of.constants) > 0 || len(of.members) == 0 || slices.ContainsFunc(of.members, func(m string) bool { return hasPart(m, function, string(text)) }) {
				continue
			}
			position := Whole
			if at, ok := checked.NativeRep().SourceInfo().GetOffsetRange(call.Args()[0].ID()); ok {
				position = behind + int(at.Start)
			}
			f := forms[of.members[0]]
			return []Problem{{codeValue, position, fmt.Sprintf("%s is %s, of which %.64q is never a part there", nameOf(of.members[0]), f.what, string(text)), f.hint}}
		}
	}
	return nil
}

// hasPart says whether a text of a member's form may begin with a text, end with it, or contain it. A form is a beginning and hex digits.
func hasPart(member, function, text string) bool {
	const beginning = "airun:1:sha256:"
	digits, isDigest := map[string]int{"Digest.sha256": 64, "Digest.sha384": 96, "Digest.sha512": 128}[member]
	first := ""
	if !isDigest {
		if first, digits = beginning, 64; forms[member].pattern == nil {
			return true
		}
	}
	hex := func(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" && len(s) <= digits }
	for i := 0; i <= len(first); i++ { // where in the beginning the text begins
		head := first[i:]
		switch rest, ok := strings.CutPrefix(text, head); {
		case function == overloads.StartsWith && i > 0:
		case function == overloads.EndsWith && ok && head != "" && len(rest) != digits: // it ends before the digits do
		case ok && hex(rest):
			return true
		case function != overloads.EndsWith && strings.HasPrefix(head, text):
			return true
		}
	}
	return false
}
