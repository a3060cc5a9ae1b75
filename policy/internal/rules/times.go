package rules

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
)

// checkConversions refuses constants that are not what they are made: wherever one is evaluated, the rule fails.
func checkConversions(checked *cel.Ast, called calls, behind int) []Problem {
	for _, c := range []struct {
		name string
		to   *types.Type
		hint string
	}{
		{overloads.TypeConvertTimestamp, types.TimestampType, `write timestamp("2026-01-31T12:00:00Z")`},
		{overloads.TypeConvertDuration, types.DurationType, `write duration("90s"), with the units h, m and s: a day is 24h`},
		{overloads.TypeConvertInt, types.IntType, "write the number itself"},
		{overloads.TypeConvertUint, types.UintType, "write the number itself, with u behind it"},
		{overloads.TypeConvertDouble, types.DoubleType, "write the number itself, with a point for its fraction"},
		{overloads.TypeConvertBool, types.BoolType, "write true or false"},
	} {
		for _, call := range called.of(c.name) {
			args := call.Args()
			if len(args) != 1 || args[0].Kind() != ast.LiteralKind {
				continue
			}
			text, isText := args[0].AsLiteral().(types.String)
			if !isText || !types.IsError(text.ConvertToType(c.to)) {
				continue
			}
			position := Whole
			if at, ok := checked.NativeRep().SourceInfo().GetOffsetRange(args[0].ID()); ok {
				position = behind + int(at.Start)
			}
			return []Problem{{codeValue, position, fmt.Sprintf("%.64q is not a value of type %s", string(text), c.name), c.hint}}
		}
	}
	return nil
}
