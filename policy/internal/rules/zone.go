package rules

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// inZone are the functions of CEL that take a time zone.
var inZone = []string{
	"getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
}

// zoneText is what says the same on every machine: UTC, or an offset from it. A zone with another name is in a database of the
// machine, or in a file that the environment of the process names, and "Local" is what the environment says.
var zoneText = lazyregexp.New(`^(?:UTC|[+-]?(?:0\d|1[0-4]):[0-5]\d)$`)

// checkZones refuses time zones that could mean something else on another machine, or to another user of this one.
func checkZones(checked *cel.Ast, called calls, behind int) []Problem {
	for _, call := range called.of(inZone...) {
		args := call.Args()
		if len(args) == 0 {
			continue
		}
		zone, what := args[len(args)-1], "is not a constant"
		if zone.Kind() == ast.LiteralKind {
			text := textOf(zone.AsLiteral())
			if zoneText.MatchString(text) {
				continue
			}
			what = fmt.Sprintf("%.64q depends on the machine and its environment", text)
		}
		position := Whole
		if at, ok := checked.NativeRep().SourceInfo().GetOffsetRange(zone.ID()); ok {
			position = behind + int(at.Start)
		}
		return []Problem{{codeValue, position, "the time zone " + what, `ask for UTC, or write the offset: ` + call.FunctionName() + `("+01:00")`}}
	}
	return nil
}
