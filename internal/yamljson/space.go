package yamljson

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Text that was copied from a page indents with no-break spaces, which YAML takes for a part of the key behind them. A value is then
// another one than its author sees.

// oddSpaces finds plain keys with a character that is not seen, or looks like a blank, where a blank belongs, and plain text with one
// behind a hyphen.
func oddSpaces(n *yaml.Node, most int) []Problem {
	var found []Problem
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i, below := range n.Content {
			if len(found) == most {
				return
			}
			as := element
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				as = keyText
			} else if n.Kind == yaml.MappingNode && below.Line == n.Content[i-1].Line {
				as = besideKey
			}
			if at := oddAt(below, as); at >= 0 {
				found = append(found, spaceProblem(below.Value[at:], below.Line, below.Column+utf8.RuneCountInString(below.Value[:at])))
			}
			walk(below)
		}
	}
	walk(&yaml.Node{Content: []*yaml.Node{n}})
	return found
}

func spaceProblem(text string, line, column int) Problem {
	r, what := odd(text)
	hint := "write a blank, U+0020, in its place; text that is meant to have it is put in quotes"
	if what == "is not seen" {
		hint = "remove it; text that is meant to have it is put in quotes"
	}
	return Problem{Code: "yaml-space", Line: line, Column: column, Message: fmt.Sprintf("%U %s, and is text for YAML", r, what), Hint: hint}
}

// odd is the first character of text, if it looks like a blank or is a space of no width. Joiners and selectors, which scripts and emoji
// need, are not looked at.
func odd(text string) (r rune, what string) {
	switch r, _ = utf8.DecodeRuneInString(text); {
	case r < utf8.RuneSelf:
	case unicode.IsSpace(r):
		return r, "looks like a blank"
	case r == 0xAD, r == 0x180E, r == 0x200B, r == 0x2060, r == 0xFEFF:
		return r, "is not seen"
	}
	return 0, ""
}

// position is where a scalar stands.
type position int

const (
	keyText   position = iota
	besideKey          // on the line of its key, where no list can begin
	element            // of a list, or on a line behind its key's
)

// oddAt is the place of such a character in a plain scalar, or -1: at the beginning or the end of a key, behind a colon in it or behind the
// first word's, or behind a hyphen that would begin a list.
func oddAt(n *yaml.Node, as position) int {
	s := n.Value
	if !isPlain(n) || strings.Contains(s, "\n") {
		return -1
	}
	for at := range s {
		if _, what := odd(s[at:]); what == "" {
			continue
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		isBehindColon := at > 0 && s[at-1] == ':'
		isEdge := at == 0 || at+size == len(s) || isBehindColon
		isPair := isBehindColon && !strings.ContainsFunc(s[:at], unicode.IsSpace)
		if as == keyText && isEdge || as != keyText && isPair || as != besideKey && at == 1 && s[0] == '-' {
			return at
		}
	}
	return -1
}

// spaceBefore finds such a character in the line in which the parser stopped, or in the one before it, beside what structures
// YAML.
func spaceBefore(data []byte, line int) (Problem, bool) {
	n := 0
	for text := range bytes.Lines(data) {
		if n++; n > line {
			break
		}
		if n < line-1 {
			continue
		}
		s := string(bytes.TrimRight(text, "\r\n"))
		for at := range s {
			_, what := odd(s[at:])
			if what == "" {
				continue
			}
			_, size := utf8.DecodeRuneInString(s[at:])
			before, after := strings.TrimRight(s[:at], " "), s[at+size:]
			if before == "" || strings.ContainsAny(before[len(before)-1:], ":-,[{}]\"'") || strings.HasPrefix(after, ":") || strings.HasPrefix(after, "#") {
				return spaceProblem(s[at:], n, utf8.RuneCountInString(s[:at])+1), true
			}
		}
	}
	return Problem{}, false
}
