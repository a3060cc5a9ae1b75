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

// compile parses an expression that stands in s behind its first characters. check type-checks it, and may run in another goroutine.
func compile(s Source, expr string, behind int) (check func() (*cel.Ast, []Problem)) {
	refused := func(found []Problem) func() (*cel.Ast, []Problem) {
		return func() (*cel.Ast, []Problem) { return nil, found }
	}
	if found := checkComments(s, expr, behind); found != nil {
		return refused(found)
	}
	if found := checkUnseen(s, expr, behind); found != nil {
		return refused(found)
	}
	e, err := environment()
	if err != nil {
		return refused(whole(codeValue, "", err.Error()))
	}
	parsed, issues := e.Parse(expr)
	if issues.Err() != nil {
		return refused(explain(issues, expr, behind))
	}
	return func() (*cel.Ast, []Problem) {
		ast, issues := e.Check(parsed)
		if issues.Err() != nil {
			return nil, explain(issues, expr, behind)
		}
		if found := inspect(s, ast, expr, behind); found != nil {
			return nil, found
		}
		return ast, nil
	}
}

// inspect finds what has its types, and is not what was meant.
func inspect(s Source, ast *cel.Ast, expr string, behind int) []Problem {
	called := callsOf(ast)
	for _, check := range []func() []Problem{
		func() []Problem { return checkNames(s, ast, called, expr, behind) },
		func() []Problem { return checkPatterns(ast, called, expr, behind) },
		func() []Problem { return checkControls(s, expr, behind) }, // a pattern has a problem of its own with one
		func() []Problem { return checkZones(ast, called, behind) },
		func() []Problem { return checkParts(ast, called, behind) },
		func() []Problem { return checkConversions(ast, called, behind) },
		func() []Problem { return checkAlways(ast, behind) },
		func() []Problem { return checkConstants(ast, behind) },
	} {
		if found := check(); found != nil {
			return found
		}
	}
	return nil
}

// explain are the problems that CEL has with an expression.
func explain(issues *cel.Issues, expr string, behind int) []Problem {
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
	return problems
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
