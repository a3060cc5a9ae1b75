package rules

import (
	"fmt"
	"strings"
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
	text := string(code)
	r, what := unseen.In(text, true)
	if what == "" { // comments are prose, which can be made to be shown as if it were code
		text = expr
		r, what = unseen.In(text, false)
	}
	if what == "" {
		return nil
	}
	at := utf8.RuneCountInString(text[:strings.IndexRune(text, r)])
	return []Problem{{codeUnseen, behind + at, fmt.Sprintf("%U %s", r, what), unseen.Fix(what) + "; " + escapeHint(s.Form, r)}}
}
