package rules

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// partsOfTime are the least and the greatest of what the functions of a timestamp give.
var partsOfTime = map[string][2]types.Int{
	"getMonth": {0, 11}, "getDayOfYear": {0, 365}, "getDayOfMonth": {0, 30}, "getDate": {1, 31}, "getDayOfWeek": {0, 6},
	"getHours": {0, 23}, "getMinutes": {0, 59}, "getSeconds": {0, 59}, "getMilliseconds": {0, 999},
}

// checkParts refuses numbers that a part of a time never is: a rule that forbids one forbids nothing. It also refuses the places in lists
// that there never are.
func checkParts(checked *cel.Ast, called calls, behind int) []Problem {
	problem := func(at ast.Expr, hint, format string, args ...any) []Problem {
		position := Whole
		if r, ok := checked.NativeRep().SourceInfo().GetOffsetRange(at.ID()); ok {
			position = behind + int(r.Start)
		}
		return []Problem{{codeValue, position, fmt.Sprintf(format, args...), hint}}
	}
	for _, call := range called.of(operators.Equals, operators.NotEquals, operators.In) {
		for i, x := range call.Args() {
			name, bounds, ok := partOfTime(checked, x)
			if !ok {
				continue
			}
			for _, y := range elementsOf(call.Args()[1-i]) {
				if n, isInt := constantIn(y).(types.Int); isInt && (n < bounds[0] || n > bounds[1]) {
					return problem(y, fmt.Sprintf("CEL counts from %d to %d here%s", bounds[0], bounds[1], firsts[name]), "%s() is never %d", name, n)
				}
			}
		}
	}
	for _, operator := range []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals} {
		for _, call := range called.of(operator) {
			args, compares := call.Args(), operator
			if _, _, ok := partOfTime(checked, args[0]); !ok {
				args, compares = []ast.Expr{args[1], args[0]}, turned(operator)
			}
			name, bounds, ok := partOfTime(checked, args[0])
			n, isInt := constantIn(args[1]).(types.Int)
			if !ok || !isInt {
				continue
			}
			if part := (between{least: float64(bounds[0]), most: float64(bounds[1])}).with(compares, float64(n)); part.isEmpty() {
				return problem(args[1], fmt.Sprintf("CEL counts from %d to %d here%s", bounds[0], bounds[1], firsts[name]), "%s() is never %s %d", name, inWords[compares], n)
			}
		}
	}
	for _, call := range called.of(operators.Equals) { // != is true, and is often beside has()
		for i, x := range call.Args() {
			if y := call.Args()[1-i]; x.Kind() == ast.SelectKind && path(x) != "" && constantIn(y) == types.NullValue {
				return problem(y, "ask has("+path(x)+"), or !has("+path(x)+")", "%s is never null: a member is there or not", path(x))
			}
		}
	}
	for _, call := range called.of(operators.Index) {
		x, y := call.Args()[0], call.Args()[1]
		if n, isInt := constantIn(y).(types.Int); isInt && n < 0 && checked.NativeRep().GetType(x.ID()).Kind() == types.ListKind {
			return problem(y, "CEL counts the elements from 0 on: the last of a list x is x[size(x) - 1]", "a list has no element %d", n)
		}
	}
	return nil
}

var inWords = map[string]string{operators.Less: "less than", operators.LessEquals: "at most", operators.Greater: "more than", operators.GreaterEquals: "at least"}

// firsts are what the first number is.
var firsts = map[string]string{
	"getMonth": ": 0 is January", "getDayOfWeek": ": 0 is Sunday", "getDayOfYear": ": 0 is the first of January", "getDayOfMonth": ": 0 is the first; getDate() counts from 1 on",
}

// partOfTime is the function of a timestamp that an expression calls, and its bounds. Those of a duration have others.
func partOfTime(checked *cel.Ast, e ast.Expr) (string, [2]types.Int, bool) {
	if e.Kind() != ast.CallKind || !e.AsCall().IsMemberFunction() {
		return "", [2]types.Int{}, false
	}
	name := e.AsCall().FunctionName()
	bounds, ok := partsOfTime[name]
	return name, bounds, ok && checked.NativeRep().GetType(e.AsCall().Target().ID()).Kind() == types.TimestampKind
}

// elementsOf are the elements of a list that is written out, or the one expression that it is.
func elementsOf(e ast.Expr) []ast.Expr {
	if e.Kind() == ast.ListKind {
		return e.AsList().Elements()
	}
	return []ast.Expr{e}
}
