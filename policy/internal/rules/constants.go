package rules

import (
	"context"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types/ref"

	"github.com/runattest/runattest/internal/visible"
)

// checkConstants refuses constants whose evaluation fails, such as 1/0 and [1, 2][5]: a rule that comes to one is met by no run.
func checkConstants(checked *cel.Ast, behind int) []Problem {
	rep := checked.NativeRep()
	var found []Problem
	try := func(e ast.Expr) {
		if len(found) > 0 || e.Kind() == ast.LiteralKind {
			return
		}
		_, err := evaluateConstant(checked, e)
		if err == nil {
			return
		}
		position := Whole
		if at, ok := rep.SourceInfo().GetOffsetRange(e.ID()); ok {
			position = behind + int(at.Start)
		}
		found = []Problem{{codeValue, position, "this constant fails whenever it is evaluated: " + visible.OneLine(err.Error()), "no run meets a rule that fails; what is to deny every run is false"}}
	}
	var isConstant func(e ast.NavigableExpr) bool
	isConstant = func(e ast.NavigableExpr) bool {
		var constants []ast.Expr
		children := e.Children()
		for _, child := range children {
			if isConstant(child) {
				constants = append(constants, child)
			}
		}
		switch e.Kind() {
		case ast.LiteralKind:
			return true
		case ast.CallKind, ast.ListKind, ast.MapKind, ast.SelectKind:
			if len(constants) == len(children) {
				return true
			}
		}
		for _, one := range constants {
			try(one)
		}
		return false
	}
	if root := ast.NavigateAST(rep); isConstant(root) {
		try(root)
	}
	return found
}

// evaluateConstant evaluates an expression without variables. Neither a value nor an error is what cannot be planned, or costs too much.
func evaluateConstant(checked *cel.Ast, e ast.Expr) (ref.Val, error) {
	env, err := environment()
	if err != nil {
		return nil, nil
	}
	rep := checked.NativeRep()
	program, err := env.PlanProgram(ast.NewCheckedAST(ast.NewAST(e, rep.SourceInfo()), rep.TypeMap(), rep.ReferenceMap()), programOptions()...)
	if err != nil {
		return nil, nil
	}
	m := newMeter(context.Background())
	m.begin()
	value, _, err := m.evaluate(program, map[string]any{})
	if m.rule == 0 {
		return nil, nil
	}
	return value, err
}
