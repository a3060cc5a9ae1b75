package rules

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// reads says whether an expression that was type-checked looks at a variable.
func reads(checked *cel.Ast, variable string) bool {
	if checked == nil {
		return false
	}
	for _, r := range checked.NativeRep().ReferenceMap() {
		if r.Name == variable || r.Name == "."+variable {
			return true
		}
	}
	return false
}

// readsMember says whether it looks at a member of an object, or whether it has that member.
func readsMember(checked *cel.Ast, of, member string) bool {
	if checked == nil {
		return false
	}
	found := ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), func(e ast.NavigableExpr) bool {
		operand, name := selection(e)
		if operand == nil || name != member {
			return false
		}
		t := checked.NativeRep().GetType(operand.ID())
		for t.TypeName() == "optional_type" {
			t = t.Parameters()[0]
		}
		return t.IsExactType(object(of))
	})
	return len(found) > 0
}

// selection is x and the name of x.name and x.?name; nil of any other expression.
func selection(e ast.Expr) (operand ast.Expr, name string) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().Operand(), e.AsSelect().FieldName()
	case ast.CallKind:
		if c := e.AsCall(); c.FunctionName() == operators.OptSelect && len(c.Args()) == 2 && c.Args()[1].Kind() == ast.LiteralKind {
			return c.Args()[0], textOf(c.Args()[1].AsLiteral())
		}
	}
	return nil, ""
}

func textOf(v ref.Val) string {
	text, _ := v.(types.String)
	return string(text)
}

// readsApprovals is what the condition reads of approvals, "" if nothing.
func (r *Rule) readsApprovals() string {
	switch {
	case reads(r.ast, varApprovals):
		return varApprovals
	case readsMember(r.ast, "Ancestor", "approved"):
		return "approved of an ancestor"
	case readsMember(r.ast, "Ancestor", "approvals"):
		return "approvals of an ancestor"
	}
	return ""
}

// ReadsTimes is what the condition reads of trusted times, "" if nothing.
func (r *Rule) ReadsTimes() string {
	switch {
	case reads(r.ast, varTime):
		return varTime
	case readsMember(r.ast, "Ancestor", "declaredBy"):
		return "declaredBy of an ancestor"
	case readsMember(r.ast, "Approval", "time"):
		return "time of an approval"
	}
	return ""
}
