package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/unseen"
)

// checkNames refuses strings that are not what people read in them: a rule that forbids such a name would forbid nothing. What
// is written as an escape is meant, and prose has dashes and signs that names have not.
func checkNames(s Source, checked *cel.Ast, called calls, expr string, behind int) []Problem {
	if isASCII(expr) {
		return nil
	}
	patterns, computed := patternPlaces(checked, called)
	prose := prosePlaces(checked)
	var problems []Problem
	characters := counter{text: expr}
	for _, l := range literals(expr) {
		body, at := expr[l.start:l.end], characters.before(l.start)
		raw := isRaw(expr[:l.start])
		isProse := prose[at] || raw && prose[at-1]
		isPattern := computed || patterns[at] || raw && patterns[at-1]
		if !raw || isPattern {
			body = blankOut(escaped, body)
		}
		if isPattern {
			body = blankOut(class, body)
		}
		for _, f := range unseen.Mistakes(body) {
			if !f.IsCertain() || isProse && !f.InProse || len(problems) == limits.Problems {
				continue
			}
			meant := escapeHint(s.Form, f)
			if raw {
				meant = fmt.Sprintf(`a raw string has it as %s in a pattern, and another string as %s`, Escaped(f, `\x{%X}`), Escaped(f, `\u%04X`))
			}
			problems = append(problems, Problem{codeLookAlike, behind + characters.before(l.start+f.At), f.What, f.Fix + "; " + meant})
		}
	}
	return problems
}

// A counter counts the characters before places in a text that only grow.
type counter struct {
	text        string
	at, counted int
}

func (c *counter) before(at int) int {
	if at < c.at {
		return utf8.RuneCountInString(c.text[:at])
	}
	c.counted += utf8.RuneCountInString(c.text[c.at:at])
	c.at = at
	return c.counted
}

var (
	escaped = lazyregexp.New(`(?s)\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[xX][0-9a-fA-F]{2}|[0-7]{3}|x\{[0-9a-fA-F]+\}|.)`)
	class   = lazyregexp.New(`\[\^?\]?[^\]]*\]`) // of characters, in which scripts stand side by side
)

// Suspects are strings that may not be what people read in them: a word in another script is right, and all of its letters look like
// Latin ones.
func Suspects(s Source) []Problem {
	if isASCII(s.Text) {
		return nil
	}
	var problems []Problem
	characters := counter{text: s.Text}
	for _, l := range literals(s.Text) {
		body := s.Text[l.start:l.end]
		if !isRaw(s.Text[:l.start]) {
			body = blankOut(escaped, body)
		}
		for _, f := range unseen.Mistakes(blankOut(class, body)) {
			if !f.IsCertain() && len(problems) < limits.Problems {
				problems = append(problems, Problem{codeLookAlike, characters.before(l.start + f.At), f.What, f.Fix + "; " + escapeHint(s.Form, f)})
			}
		}
	}
	return problems
}

// MistakesInPattern are the certain mistakes in a regular expression. Within brackets scripts stand side by side.
func MistakesInPattern(pattern string) []unseen.Finding {
	return slices.DeleteFunc(unseen.Mistakes(blankOut(class, blankOut(escaped, pattern))), func(f unseen.Finding) bool { return !f.IsCertain() })
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// blankOut replaces what is found by as many blanks.
func blankOut(what *lazyregexp.Regexp, s string) string {
	return string(what.ReplaceAllFunc([]byte(s), func(found []byte) []byte { return bytes.Repeat([]byte(" "), len(found)) }))
}

// patternPlaces are where regular expressions stand, in characters, and whether one is made of others, so that any string may be a part of it.
func patternPlaces(checked *cel.Ast, called calls) (all map[int]bool, computed bool) {
	all = map[int]bool{}
	for _, call := range called.of("matches") {
		args := call.Args()
		computed = computed || args[len(args)-1].Kind() != ast.LiteralKind
		if at, ok := checked.NativeRep().SourceInfo().GetOffsetRange(args[len(args)-1].ID()); ok {
			all[int(at.Start)] = true
		}
	}
	return all, computed
}

// Escaped is what a finding is about with an escape of that form for each character beyond ASCII, or that is a control: a word from the
// first of these to the last, or several characters.
func Escaped(f unseen.Finding, form string) string {
	var all []string
	if f.Kind == unseen.Control {
		for _, r := range f.Chars {
			all = append(all, fmt.Sprintf(form, r))
		}
		return strings.Join(all, " and ")
	}
	for _, r := range strings.TrimFunc(f.Chars, func(r rune) bool { return r < utf8.RuneSelf }) {
		one := string(r)
		switch {
		case r > 0xFFFF && form == `\u%04X`:
			one = fmt.Sprintf(`\U%08X`, r)
		case r >= utf8.RuneSelf:
			one = fmt.Sprintf(form, r)
		}
		all = append(all, one)
	}
	if f.Kind < unseen.NotNFC {
		return strings.Join(all, " and ")
	}
	return strings.Join(all, "")
}

// escapeHint says how a file has what is meant in a string.
func escapeHint(form Form, f unseen.Finding) string {
	escapes := Escaped(f, `\u%04X`)
	it := "it"
	if strings.Count(escapes, `\`) > 1 {
		it = "each"
	}
	switch hint := "if a text is meant to have it, write " + escapes + " in the string"; form {
	case JSON:
		return hint + ", with a second backslash before " + it + " in JSON"
	case YAML:
		return hint + ", in an expression behind |, since double quotes of YAML have escapes of their own"
	default:
		return hint
	}
}
