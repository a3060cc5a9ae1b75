package rules

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Prose is what a declaration or an approval has as text for people and models, and not as a name: the prompt, the contents of resources,
// reasons and conditions; and what a message shows.

// proseMembers are the members that hold prose, by object.
var proseMembers = []string{"Declaration.prompt", "Prompt.text", "Prompt.messages", "Resource.content", "Approval.reason", "Approval.conditions"}

// nameMembers are those of a message or a content that are names again.
var nameMembers = []string{"role", "name", "type", "id", "uri", "mediaType", "version"}

// prosePlaces are where strings begin, in characters, that are compared with prose alone, or are the text of a message.
func prosePlaces(checked *cel.Ast) map[int]bool {
	root := ast.NavigateAST(checked.NativeRep())
	places := map[int]bool{}
	note := func(all []ast.Expr, isProse bool) {
		for _, e := range all {
			if at, ok := checked.NativeRep().SourceInfo().GetOffsetRange(e.ID()); ok {
				before, isKnown := places[int(at.Start)]
				places[int(at.Start)] = isProse && (before || !isKnown)
			}
		}
	}
	for _, call := range ast.MatchDescendants(root, ast.KindMatcher(ast.CallKind)) {
		c := call.AsCall()
		switch c.FunctionName() {
		case operators.Equals, operators.NotEquals, operators.In, "contains", "startsWith", "endsWith", "matches":
		default:
			continue
		}
		operands := c.Args()
		if c.IsMemberFunction() {
			operands = append([]ast.Expr{c.Target()}, operands...)
		}
		if len(operands) == 2 {
			note(stringsIn(operands[0]), isProse(checked, operands[1]))
			note(stringsIn(operands[1]), isProse(checked, operands[0]))
		}
	}
	if checked.OutputType().Kind() == types.StringKind {
		note(stringsIn(root), true)
	}
	return places
}

// stringsIn are the strings that an expression may be, or have in it if it is a list.
func stringsIn(e ast.Expr) []ast.Expr {
	var all []ast.Expr
	switch e.Kind() {
	case ast.LiteralKind:
		if _, ok := e.AsLiteral().(types.String); ok {
			return []ast.Expr{e}
		}
	case ast.ListKind:
		for _, one := range e.AsList().Elements() {
			all = append(all, stringsIn(one)...)
		}
	case ast.IdentKind:
		if over := rangeOf(e); over != nil {
			return stringsIn(over)
		}
	case ast.CallKind:
		args := e.AsCall().Args()
		switch e.AsCall().FunctionName() {
		case operators.Conditional:
			return append(stringsIn(args[1]), stringsIn(args[2])...)
		case operators.Add:
			return append(stringsIn(args[0]), stringsIn(args[1])...)
		}
	}
	return all
}

// isProse tells an expression that is prose, a part of it, or made of it.
func isProse(checked *cel.Ast, e ast.Expr) bool {
	if operand, name := selection(e); operand != nil {
		of := checked.NativeRep().GetType(operand.ID())
		for of.TypeName() == "optional_type" {
			of = of.Parameters()[0]
		}
		return slices.Contains(proseMembers, of.TypeName()+"."+name) || !slices.Contains(nameMembers, name) && isProse(checked, operand)
	}
	switch e.Kind() {
	case ast.IdentKind:
		if over := rangeOf(e); over != nil {
			return isProse(checked, over)
		}
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			return isProse(checked, c.Target())
		}
		return slices.ContainsFunc(c.Args(), func(arg ast.Expr) bool { return isProse(checked, arg) })
	}
	return false
}
