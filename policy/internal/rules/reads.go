package rules

import (
	"strings"

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

// membersRead are the members that it looks at, or of which it says whether they are there.
func membersRead(checked *cel.Ast) map[member]bool {
	read := map[member]bool{}
	eachPart(checked, func(e ast.Expr) {
		operand, name := selection(e)
		if operand == nil {
			return
		}
		t := checked.NativeRep().GetType(operand.ID())
		for t.TypeName() == "optional_type" {
			t = t.Parameters()[0]
		}
		if t.Kind() == types.StructKind {
			read[member{t.TypeName(), name}] = true
		}
	})
	return read
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
	return r.firstRead(varApprovals,
		member{"Ancestor", "approved"},
		member{"Ancestor", "approvals"})
}

// ReadsTimes is what the condition reads of trusted times, "" if nothing.
func (r *Rule) ReadsTimes() string {
	return r.firstRead(varTime,
		member{"Ancestor", "declaredBy"},
		member{"Approval", "time"})
}

// member is a member of a type.
type member struct{ of, name string }

func (m member) String() string { return m.name + " of an " + strings.ToLower(m.of) }

// firstRead is the variable, if the condition reads it, or what the first of the members that it reads is called, or "".
func (r *Rule) firstRead(variable string, members ...member) string {
	if reads(r.ast, variable) {
		return variable
	}
	for _, m := range members {
		if r.members[m] {
			return m.String()
		}
	}
	return ""
}
