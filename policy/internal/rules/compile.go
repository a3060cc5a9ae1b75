package rules

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
)

func tooLong(n int) string {
	return fmt.Sprintf("%d characters, want at most %d", n, limits.Expression)
}

// compile type-checks an expression that stands in s behind its first characters.
func compile(s Source, expr string, behind int) (*cel.Ast, []Problem) {
	if found := checkComments(s, expr, behind); found != nil {
		return nil, found
	}
	if found := checkUnseen(s, expr, behind); found != nil {
		return nil, found
	}
	e, err := environment()
	if err != nil {
		return nil, whole(codeValue, "", err.Error())
	}
	ast, issues := e.Compile(expr)
	if issues.Err() == nil {
		called := callsOf(ast)
		if found := checkNames(s, ast, called, expr, behind); found != nil {
			return nil, found
		}
		if found := checkPatterns(ast, called, expr, behind); found != nil {
			return nil, found
		}
		if found := checkControls(s, expr, behind); found != nil { // a pattern has a problem of its own with one
			return nil, found
		}
		if found := checkZones(ast, called, behind); found != nil {
			return nil, found
		}
		if found := checkParts(ast, called, behind); found != nil {
			return nil, found
		}
		if found := checkConversions(ast, called, behind); found != nil {
			return nil, found
		}
		if found := checkAlways(ast, behind); found != nil {
			return nil, found
		}
		if found := checkConstants(ast, behind); found != nil {
			return nil, found
		}
		return ast, nil
	}
	var problems []Problem
	all := issues.Errors()
	for i, issue := range all {
		if strings.Contains(issue.Message, "!error!") && (len(problems) > 0 || i < len(all)-1) { // comes of another one
			continue
		}
		line, column := max(issue.Location.Line(), 1), max(issue.Location.Column(), 0)
		n := behind + column
		for l, rest := 1, expr; l < line; l++ {
			before, after, _ := strings.Cut(rest, "\n")
			n, rest = n+utf8.RuneCountInString(before)+1, after
		}
		problems = append(problems, Problem{codeCEL, n, visible.OneLine(issue.Message), celHint(issue.Message, expr, n-behind)})
		if strings.HasPrefix(issue.Message, "Syntax error: ") || len(problems) == limits.Problems { // the others come of the first
			break
		}
	}
	return nil, problems
}

// plan makes a program of what compile has checked.
func plan(ast *cel.Ast) (cel.Program, []Problem) {
	e, err := environment()
	var program cel.Program
	if err == nil {
		program, err = e.Program(ast, programOptions()...)
	}
	if err != nil { // a regular expression that does not compile
		return nil, whole(codeCEL, "", visible.OneLine(err.Error()))
	}
	return program, nil
}
