package policy

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/runattest/runattest/identity"
)

// reads says whether an expression that was type-checked looks at a variable.
func reads(checked *cel.Ast, variable string) bool {
	for _, r := range checked.NativeRep().ReferenceMap() {
		if r.Name == variable || r.Name == "."+variable {
			return true
		}
	}
	return false
}

// readsMember says whether it looks at a member of an object, or whether it has that member.
func readsMember(checked *cel.Ast, of, member string) bool {
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

// checkReads refuses rules about what there never is under this policy: they cannot be met, or forbid nothing.
func (p *Policy) checkReads(r *reader) {
	timeless := ""
	if p.root == nil {
		timeless = "the policy has no trustedRoot"
	} else if len(clocksOf(p.root)) == 0 {
		timeless = noClock(p.root)
	}
	for i, rule := range p.rules {
		at := fmt.Sprintf("/rules/%d/expr", i)
		if what := readsApprovals(rule.ast); p.approvals == nil && what != "" {
			r.failAt(at, identity.CodeValue, "name them in approvals (required: 0 demands none), or leave the rule out",
				"reads %s, and the policy names no approvers, so that there never is an approval nor a rejection", what)
		}
		if what := readsTimes(rule.ast); timeless != "" && what != "" {
			r.failAt(at, identity.CodeValue, "give the trustedRoot of a timestamp authority, or leave the rule out",
				"reads %s, and there never is a trusted time: %s", what, timeless)
		}
	}
}

// readsApprovals is what an expression reads of approvals, "" if nothing.
func readsApprovals(checked *cel.Ast) string {
	switch {
	case reads(checked, varApprovals):
		return varApprovals
	case readsMember(checked, "Ancestor", "approved"):
		return "approved of an ancestor"
	case readsMember(checked, "Ancestor", "approvals"):
		return "approvals of an ancestor"
	}
	return ""
}

// readsTimes is what an expression reads of trusted times, "" if nothing.
func readsTimes(checked *cel.Ast) string {
	switch {
	case reads(checked, varTime):
		return varTime
	case readsMember(checked, "Ancestor", "declaredBy"):
		return "declaredBy of an ancestor"
	case readsMember(checked, "Approval", "time"):
		return "time of an approval"
	}
	return ""
}
