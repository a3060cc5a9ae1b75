package rules

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types/ref"

	"github.com/runattest/runattest/internal/jsontree"
)

// wanted is which part of the declaration expressions look at, so that values are made of that part alone: the members by
// name, or all of it.
type wanted struct {
	all     bool
	members map[string]*wanted
}

// add takes in what an expression that was type-checked looks at. A chain of selections from the variable on names one
// part, and wants all that is below it; any other use of the variable wants the whole.
func (w *wanted) add(checked *cel.Ast) {
	idents := ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), func(e ast.NavigableExpr) bool {
		return e.Kind() == ast.IdentKind && (e.AsIdent() == varDeclaration || e.AsIdent() == "."+varDeclaration)
	})
	for _, e := range idents {
		part := w
		for parent, ok := e.Parent(); ok; parent, ok = e.Parent() {
			operand, name := selection(parent)
			if operand == nil || operand.ID() != e.ID() {
				break
			}
			part, e = part.member(name), parent
		}
		part.all = true
	}
}

func (w *wanted) member(name string) *wanted {
	if w.members[name] == nil {
		if w.members == nil {
			w.members = map[string]*wanted{}
		}
		w.members[name] = &wanted{}
	}
	return w.members[name]
}

// nothing says that no expression looks at the declaration.
func (w *wanted) nothing() bool { return !w.all && len(w.members) == 0 }

// value is the wanted part of a JSON value. What is not an object is whole, since a selection from it fails.
func (w *wanted) value(v jsontree.Value) ref.Val {
	if w.all || v.Kind() != jsontree.Object {
		return valueOf(v)
	}
	members := map[string]any{}
	for name, part := range w.members {
		if m := v.Get(name); m.Kind() != jsontree.Absent {
			members[name] = part.value(m)
		}
	}
	return newObject(members)
}
