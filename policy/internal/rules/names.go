package rules

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/unseen"
)

// checkNames refuses strings that are not what people read in them: a rule that forbids such a name would forbid nothing. What
// is written as an escape is meant.
func checkNames(s Source, checked *cel.Ast, called calls, expr string, behind int) []Problem {
	if isASCII(expr) {
		return nil
	}
	patterns, computed := patternPlaces(checked, called)
	for _, l := range literals(expr) {
		body := expr[l.start:l.end]
		isPattern := computed || patterns[utf8.RuneCountInString(expr[:l.start])] || patterns[utf8.RuneCountInString(expr[:l.start])-1] && isRaw(expr[:l.start])
		if !isRaw(expr[:l.start]) || isPattern {
			body = blankOut(escaped, body)
		}
		if isPattern {
			body = blankOut(class, body)
		}
		if m, ok := unseen.MistakeIn(body); ok {
			at := behind + utf8.RuneCountInString(expr[:l.start+m.At])
			meant := escapeHint(s.Form, m.Char)
			if isRaw(expr[:l.start]) {
				meant = fmt.Sprintf(`a raw string has it as \x{%X} in a pattern, and another string as \u%04X`, m.Char, m.Char)
			}
			return []Problem{{codeLookAlike, at, m.What, m.Fix + "; " + meant}}
		}
	}
	return nil
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
	var found []Problem
	for _, l := range literals(s.Text) {
		body := s.Text[l.start:l.end]
		if !isRaw(s.Text[:l.start]) {
			body = blankOut(escaped, body)
		}
		if at, what := unseen.SuspectIn(blankOut(class, body)); what != "" {
			r, _ := utf8.DecodeRuneInString(body[at:])
			found = append(found, Problem{codeLookAlike, utf8.RuneCountInString(s.Text[:l.start+at]), what, "check its letters; " + escapeHint(s.Form, r)})
		}
	}
	return found
}

// MistakeInPattern is the first certain mistake in a regular expression. Within brackets scripts stand side by side.
func MistakeInPattern(pattern string) (unseen.Mistake, bool) {
	return unseen.MistakeIn(blankOut(class, blankOut(escaped, pattern)))
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

// escapeHint says how a file has a character in a string that is meant.
func escapeHint(form Form, r rune) string {
	escape := fmt.Sprintf(`\u%04X`, r)
	if r > 0xFFFF {
		escape = fmt.Sprintf(`\U%08X`, r)
	}
	switch hint := "if a text is meant to have it, write " + escape + " in the string"; form {
	case JSON:
		return hint + ", with a second backslash before it in JSON"
	case YAML:
		return hint + ", in an expression behind |, since double quotes of YAML have escapes of their own"
	default:
		return hint
	}
}
