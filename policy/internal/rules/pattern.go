package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"

	"github.com/runattest/runattest/internal/regexplang"
)

// checkPatterns refuses regular expressions of which a string has made another one: in strings CEL reads \b as a backspace
// and \? as a question mark, and YAML reads \b so in double quotes. A rule that forbids such a pattern would forbid nothing.
func checkPatterns(checked *cel.Ast, called calls, expr string, behind int) []Problem {
	source := []rune(expr)
	for _, call := range called.of("matches") {
		args := call.Args()
		pattern := args[len(args)-1]
		at, ok := checked.NativeRep().SourceInfo().GetOffsetRange(pattern.ID())
		if pattern.Kind() != ast.LiteralKind || !ok || int(at.Start) >= len(source) {
			continue
		}
		text := textOf(pattern.AsLiteral())
		if regexplang.IsNowhere(text) {
			return []Problem{{codePattern, behind + int(at.Start), "the pattern matches no text", "^ is the beginning of the text, and $ its end: nothing stands before, or behind"}}
		}
		if regexplang.HasEmptyAlternative(text) {
			return []Problem{{codePattern, behind + int(at.Start), "the pattern matches every text: one of its alternatives is empty", "leave out the | beside which nothing stands; for the empty text write ^$"}}
		}
		wrong := misreadIn(string(source[at.Start:]), text)
		if wrong == "" {
			continue
		}
		return []Problem{{codePattern, behind + int(at.Start), "the pattern " + wrong, `write it as a raw string, r"...", in a literal block (|) or in single quotes`}}
	}
	return nil
}

// misreadIn is what a string has made of a pattern, "" if nothing; literal begins with the string as it is written.
func misreadIn(literal, pattern string) string {
	if strings.Contains(pattern, "\b") {
		return `holds a backspace, and no word boundary: a string reads \b so`
	}
	start := strings.IndexAny(literal, `"'`)
	if start < 0 || isRaw(literal[:start]) {
		return ""
	}
	body := literal[start:literalEnd(literal, start)]
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		if next, _ := utf8.DecodeRuneInString(body[i+1:]); next == '?' {
			return `holds ?, which repeats, where \? is written: a string reads \? so`
		}
		i++
	}
	return ""
}
