package rules

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
)

// eachPart goes through an expression that was type-checked, each part after the parts that it has itself.
func eachPart(checked *cel.Ast, visit func(ast.Expr)) {
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(visit))
}

// calls are the calls of functions and operators in one expression.
type calls []ast.CallExpr

func callsOf(checked *cel.Ast) calls {
	var all calls
	eachPart(checked, func(e ast.Expr) {
		if e.Kind() == ast.CallKind {
			all = append(all, e.AsCall())
		}
	})
	return all
}

// of are those of functions with one of the names.
func (c calls) of(names ...string) calls {
	var found calls
	for _, call := range c {
		if slices.Contains(names, call.FunctionName()) {
			found = append(found, call)
		}
	}
	return found
}
