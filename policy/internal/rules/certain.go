package rules

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
)

// certain finds what an expression can come to whatever a run is: by its constants, by the members that are always there, and
// by what always holds of approvals and times.
type certain struct {
	checked *cel.Ast
	dated   bool   // a run without a trusted time is denied already
	why     string // the first reason that has a sentence
}

// outcome is what e can come to, where all that is not certain is open. An error is neither yes nor no.
func (c *certain) outcome(e ast.Expr) outcome {
	switch e.Kind() {
	case ast.LiteralKind:
		if value, ok := e.AsLiteral().(types.Bool); ok {
			return outcome{bool(value), !bool(value)}
		}
	case ast.SelectKind:
		return c.selection(e.AsSelect())
	case ast.ComprehensionKind:
		if of := conditionOf(e.AsComprehension()); of != nil && !c.outcome(of).yes {
			return outcome{no: true} // of exists, and of exists_one
		}
		if c.contradicts(e) {
			return outcome{no: true}
		}
	case ast.CallKind:
		return c.call(e)
	}
	return open
}

// neverMet is why no run meets the condition, whatever the run is; "" if one may, or if none is to.
func (r *Rule) neverMet(w *Worlds) string {
	if w == nil || r.ast == nil || readsNothing(r.ast) {
		return ""
	}
	c := &certain{checked: r.ast, dated: w.Dated}
	if c.outcome(r.ast.NativeRep().Expr()).yes {
		return ""
	}
	return cmp.Or(c.why, "is false whatever the run is")
}

// always are the members that each object of a type has.
var always = map[string][]string{
	"Declaration": {"schema", "kind", "model", "prompt", "parameters", "context", "constraints"},
	"Model":       {"name"}, "Resource": {"role", "name"}, "Run": {"id", "kind"}, "Signer": {"kind", "name"}, "Ancestor": {"id", "kind"},
	"Approval": {"approver", "decision", "reason"},
}

func (c *certain) selection(s ast.SelectExpr) outcome {
	of := c.checked.NativeRep().GetType(s.Operand().ID()).TypeName()
	isThere := slices.Contains(always[of], s.FieldName()) || c.dated && of == "Time" && s.FieldName() == "earliest"
	if s.IsTestOnly() && isThere || c.dated && of == "Time" && s.FieldName() == "verified" {
		return outcome{yes: true}
	}
	return open
}

func (c *certain) call(e ast.Expr) outcome {
	args := e.AsCall().Args()
	switch name := e.AsCall().FunctionName(); name {
	case operators.LogicalAnd:
		o := c.all(e)
		if c.contradicts(e) {
			o = outcome{no: true}
		}
		return o
	case operators.LogicalOr:
		x, y := c.outcome(args[0]), c.outcome(args[1])
		return outcome{x.yes || y.yes, x.no && y.no}
	case operators.LogicalNot:
		x := c.outcome(args[0])
		return outcome{x.no, x.yes}
	case operators.Conditional:
		var o outcome
		condition := c.outcome(args[0])
		for i, may := range []bool{condition.yes, condition.no} {
			if may {
				one := c.outcome(args[i+1])
				o = outcome{o.yes || one.yes, o.no || one.no}
			}
		}
		return o
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.Equals, operators.NotEquals:
		return c.comparison(e, name, args[0], args[1])
	}
	return c.constant(e)
}

// all is the outcome of conditions that are joined with &&, or of one, but for what they demand of each other.
func (c *certain) all(e ast.Expr) outcome {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return c.outcome(e)
	}
	x, y := c.all(e.AsCall().Args()[0]), c.all(e.AsCall().Args()[1])
	return outcome{x.yes && y.yes, x.no || y.no || !x.yes}
}

// contradicts says whether a condition demands what contradicts itself, and notes what.
func (c *certain) contradicts(e ast.Expr) bool {
	var all demands
	all.add(c.checked, e, true)
	why := all.why()
	c.why = cmp.Or(c.why, why)
	return why != ""
}

// comparison is of two constants, of a condition with true or false, or of when an approval expires with now: what has expired
// does not count, and is not in the list.
func (c *certain) comparison(e ast.Expr, name string, x, y ast.Expr) outcome {
	for range 2 {
		if value, ok := constantIn(y).(types.Bool); ok && (name == operators.Equals || name == operators.NotEquals) {
			o := c.outcome(x)
			if bool(value) == (name == operators.Equals) {
				return o
			}
			return outcome{o.no, o.yes}
		}
		if x.Kind() == ast.SelectKind && x.AsSelect().FieldName() == "expires" && y.Kind() == ast.IdentKind && y.AsIdent() == varNow &&
			c.checked.NativeRep().GetType(x.AsSelect().Operand().ID()).TypeName() == "Approval" {
			switch name {
			case operators.Less, operators.LessEquals, operators.Equals:
				c.why = cmp.Or(c.why, "demands an approval that has expired, which does not count")
				return outcome{no: true}
			}
			return outcome{yes: true}
		}
		x, y, name = y, x, turned(name)
	}
	return c.constant(e)
}

// turned is the comparison of y with x that says the same as that of x with y.
func turned(name string) string {
	switch name {
	case operators.Less:
		return operators.Greater
	case operators.LessEquals:
		return operators.GreaterEquals
	case operators.Greater:
		return operators.Less
	case operators.GreaterEquals:
		return operators.LessEquals
	}
	return name
}

func constantIn(e ast.Expr) any {
	if e.Kind() == ast.LiteralKind {
		return e.AsLiteral()
	}
	return nil
}

// constant is what an expression without variables comes to.
func (c *certain) constant(e ast.Expr) outcome {
	isConstant := true
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(part ast.Expr) {
		if kind := part.Kind(); kind != ast.LiteralKind && kind != ast.CallKind && kind != ast.ListKind {
			isConstant = false
		}
	}))
	if !isConstant {
		return open
	}
	value, err := evaluateConstant(c.checked, e)
	if yes, ok := value.(types.Bool); err == nil && ok {
		return outcome{bool(yes), !bool(yes)}
	}
	return open
}

// path is how a member of a variable, or its size, is written, "" of another expression.
func path(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		if of := path(e.AsSelect().Operand()); of != "" && !e.AsSelect().IsTestOnly() {
			return of + "." + e.AsSelect().FieldName()
		}
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() == operators.Index {
			if name, ok := constantIn(call.Args()[1]).(types.String); ok && isIdentifier(string(name)) {
				if of := path(call.Args()[0]); of != "" {
					return of + "." + string(name)
				}
			}
		}
		if call.FunctionName() == overloads.Size {
			args := call.Args()
			if call.IsMemberFunction() {
				args = []ast.Expr{call.Target()}
			}
			if of := path(args[0]); of != "" {
				return "size(" + of + ")"
			}
		}
	}
	return ""
}

// isIdentifier says whether a member's name can stand behind a dot.
func isIdentifier(name string) bool {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// constantText is the same for two constants if they are equal: texts, or numbers; "" for another expression. Numbers so large that CEL
// takes several integers for equal to one double have none.
func constantText(e ast.Expr) string {
	switch v := constantIn(e).(type) {
	case types.String:
		return strconv.Quote(string(v))
	case types.Int:
		if v <= -1<<53 || v >= 1<<53 {
			return ""
		}
		return strconv.FormatInt(int64(v), 10)
	case types.Double:
		if math.Abs(float64(v)) >= 1<<53 {
			return ""
		}
		if v == types.Double(math.Trunc(float64(v))) {
			return strconv.FormatInt(int64(v), 10)
		}
		return strconv.FormatFloat(float64(v), 'g', -1, 64)
	}
	return ""
}

// readsNothing says that a condition is a constant, which is what it says on purpose.
func readsNothing(checked *cel.Ast) bool {
	nothing := true
	eachPart(checked, func(e ast.Expr) {
		if e.Kind() == ast.IdentKind && objectsVariables[e.AsIdent()] {
			nothing = false
		}
	})
	return nothing
}

var objectsVariables = map[string]bool{
	varDeclaration: true, varRun: true, varSigner: true, varTime: true, varAnnotations: true, varApprovals: true, varAncestors: true, varOpen: true, varNow: true,
}
