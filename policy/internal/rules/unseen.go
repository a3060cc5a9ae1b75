package rules

import (
	"unicode/utf8"

	"github.com/runattest/runattest/internal/unseen"
)

// checkUnseen refuses characters that are not seen: a text with one, copied from a page, is equal to none that
// people write, and a rule that forbids it would forbid nothing. A string has an escape for those that are meant.
func checkUnseen(s Source, expr string, behind int) []Problem {
	code := []rune(expr)
	for _, c := range comments(expr) {
		first := utf8.RuneCountInString(expr[:c.start])
		for i := range utf8.RuneCountInString(expr[c.start:c.end]) {
			code[first+i] = ' '
		}
	}
	found, text := unseen.NotShown(string(code), true), string(code)
	if len(found) == 0 { // comments are prose, which can be made to be shown as if it were code
		found, text = unseen.NotShown(expr, false), expr
	}
	return problemsOf(found, s, text, behind)
}

// checkControls refuses control characters, in strings and in comments.
func checkControls(s Source, expr string, behind int) []Problem {
	return problemsOf(unseen.Controls(expr), s, expr, behind)
}

func problemsOf(found []unseen.Finding, s Source, text string, behind int) []Problem {
	var problems []Problem
	for _, f := range found {
		at := utf8.RuneCountInString(text[:f.At])
		problems = append(problems, Problem{codeUnseen, behind + at, f.What, f.Fix + "; " + escapeHint(s.Form, f)})
	}
	return problems
}
