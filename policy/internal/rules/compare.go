package rules

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"

	"github.com/runattest/runattest/internal/limits"
)

// comparison is of what an expression may be with a constant: one of the members, as in words, or one of the other constants.
type comparison struct {
	members, also []string
	text          string
}

// isPossible says whether one of the members may be the text: it is not closed, or has the text.
func (c comparison) isPossible(words map[string][]string) bool {
	return slices.Contains(c.also, c.text) || slices.ContainsFunc(c.members, func(member string) bool {
		texts, closed := words[member]
		return !closed || slices.Contains(texts, c.text)
	})
}

// comparisons are those of an expression that was type-checked: by ==, by != and by `in`, on either side.
func comparisons(checked *cel.Ast) []comparison {
	if checked == nil {
		return nil
	}
	var found []comparison
	for _, call := range ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), ast.KindMatcher(ast.CallKind)) {
		switch call.AsCall().FunctionName() {
		case operators.Equals, operators.NotEquals, operators.In:
			x, y := call.AsCall().Args()[0], call.AsCall().Args()[1]
			found = append(found, textsOfBoth(checked, x, y)...)
			found = append(found, textsOfBoth(checked, y, x)...)
		case operators.Index, operators.OptIndex: // a table of constants; one of approvers may be for those of several policies
			if table := call.AsCall().Args()[0]; table.Kind() == ast.MapKind {
				found = append(found, slices.DeleteFunc(textsOfBoth(checked, call.AsCall().Args()[1], table), comparison.isOfApprovers)...)
			}
		}
	}
	return found
}

func (c comparison) isOfApprovers() bool {
	return slices.Contains(c.members, memberApprover) || slices.Contains(c.members, memberApproverRole)
}

// textsOfBoth compares the members that x may be with the constants that y may be.
func textsOfBoth(checked *cel.Ast, x, y ast.Expr) []comparison {
	of := textsIn(checked, x)
	if of.open || len(of.members) == 0 {
		return nil
	}
	var found []comparison
	for _, text := range textsIn(checked, y).constants {
		found = append(found, comparison{of.members, of.constants, text})
	}
	return found
}

// texts are what an expression may be, or have in it if it is a list: members, as in words, constants, and anything if it is open.
type texts struct {
	members, constants []string
	open               bool
}

func (t texts) or(other texts) texts {
	return texts{slices.Concat(t.members, other.members), slices.Concat(t.constants, other.constants), t.open || other.open}
}

// followedBy are the constants with each of the other's behind them; of members that is not known.
func (t texts) followedBy(other texts) texts {
	if t.open || other.open || len(t.members)+len(other.members) > 0 || len(t.constants)*len(other.constants) > limits.Demands {
		return texts{open: true}
	}
	var joined texts
	for _, one := range t.constants {
		for _, two := range other.constants {
			joined.constants = append(joined.constants, one+two)
		}
	}
	return joined
}

// lowerWords are the members whose texts are in lower case and without blanks, under every policy.
var lowerWords = []string{
	"Digest.sha256", "Digest.sha384", "Digest.sha512", "Run.id", "Run.parents", "Declaration.parents", "Ancestor.id", "Ancestor.parents",
	"Declaration.kind", "Run.kind", "Ancestor.kind", "Resource.role", "Signer.kind", "Timestamp.kind", "Approval.decision", "Opening.hides", memberAlgorithm,
}

// isLower says that lowerAscii and trim leave each of the texts as it is.
func (t texts) isLower() bool {
	return !t.open && len(t.constants) == 0 && len(t.members) > 0 &&
		!slices.ContainsFunc(t.members, func(m string) bool { return !slices.Contains(lowerWords, m) })
}

// isLowerASCII says that each text is what lowerAscii makes of one, or a part of that.
func (t texts) isLowerASCII() bool {
	return !t.open && len(t.constants) == 0 && slices.Equal(t.members, []string{ofLowerASCII})
}

// textsIn are the texts of a member, of a constant, of a list of these, of the keys of a map, of a variable that runs over one, of an
// element by number, of what map, filter, lowerAscii and trim make of them, of parts of the latter, and of a choice or a default. The
// expression and its parts know their parents.
func textsIn(checked *cel.Ast, e ast.Expr) texts {
	if operand, name := selection(e); operand != nil {
		of := checked.NativeRep().GetType(operand.ID())
		for of.TypeName() == "optional_type" {
			of = of.Parameters()[0]
		}
		return texts{members: []string{of.TypeName() + "." + name}}
	}
	switch e.Kind() {
	case ast.LiteralKind:
		if text, ok := e.AsLiteral().(types.String); ok {
			return texts{constants: []string{string(text)}}
		}
	case ast.ListKind, ast.MapKind:
		return textsOfAny(checked, keysOf(e))
	case ast.IdentKind:
		if over := rangeOf(e); over != nil {
			return textsIn(checked, over)
		}
	case ast.CallKind:
		return textsOfCall(checked, e)
	case ast.ComprehensionKind:
		if one := elementOf(e.AsComprehension()); one != nil {
			return textsIn(checked, one)
		}
	}
	return texts{open: true}
}

func textsOfAny(checked *cel.Ast, all []ast.Expr) texts {
	var any texts
	for _, one := range all {
		of := textsIn(checked, one)
		any.members, any.constants, any.open = append(any.members, of.members...), append(any.constants, of.constants...), any.open || of.open
	}
	return any
}

func textsOfCall(checked *cel.Ast, e ast.Expr) texts {
	c := e.AsCall()
	args := c.Args()
	switch c.FunctionName() {
	case operators.Index, operators.OptIndex:
		if places := elementsAt(args[0], args[1]); places != nil {
			return textsOfAny(checked, places)
		}
		if checked.NativeRep().GetType(args[0].ID()).Kind() != types.MapKind {
			return textsIn(checked, args[0])
		}
	case operators.Conditional:
		return textsOfAny(checked, args[1:])
	case functionJSON:
		return texts{members: []string{ofJSON}}
	case "optional.of", "optional.ofNonZeroValue":
		return textsIn(checked, args[0])
	case "lowerAscii":
		if of := textsIn(checked, c.Target()); of.isLower() {
			return of
		}
		return texts{members: []string{ofLowerASCII}}
	case overloads.TypeConvertString, overloads.TypeConvertDyn:
		if checked.NativeRep().GetType(args[0].ID()).Kind() == types.StringKind {
			return textsIn(checked, args[0])
		}
	case "trim":
		switch of := textsIn(checked, c.Target()); {
		case of.isLower(), of.isLowerASCII():
			return of
		}
		return texts{members: []string{ofTrim}}
	case "split":
		if of := textsIn(checked, c.Target()); of.isLowerASCII() {
			return of
		}
	case operators.Add:
		if checked.NativeRep().GetType(e.ID()).Kind() == types.ListKind {
			return textsOfAny(checked, args)
		}
		return textsIn(checked, args[0]).followedBy(textsIn(checked, args[1]))
	case "orValue", "or", "value": // of an optional value
		if c.IsMemberFunction() && checked.NativeRep().GetType(c.Target().ID()).TypeName() == "optional_type" {
			return textsIn(checked, c.Target()).or(textsOfAny(checked, args))
		}
	}
	return texts{open: true}
}

// elementsAt are what an element by a constant number may be: of a list that is written out, or of the lists that a variable runs over. They
// are nil of another expression.
func elementsAt(list, number ast.Expr) []ast.Expr {
	n, isInt := constantIn(number).(types.Int)
	rows := []ast.Expr{list}
	if list.Kind() == ast.IdentKind {
		if over := rangeOf(list); over != nil {
			rows = keysOf(over)
		}
	}
	var places []ast.Expr
	for _, row := range rows {
		if !isInt || row.Kind() != ast.ListKind || n < 0 || int(n) >= row.AsList().Size() {
			return nil
		}
		places = append(places, row.AsList().Elements()[n])
	}
	return places
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
