package rules

import (
	"strings"
	"testing"
)

func TestWithoutComments(t *testing.T) {
	for in, want := range map[string]string{
		"a // b\n&& c":               "a \n&& c",
		"// b\n// d\nc":              "\n\nc",
		"a && b":                     "a && b",
		"'//' == r'\\' // \"\n && a": "'//' == r'\\' \n && a",
		"for'\\'//' // x":            "for'\\'//' ",
		"_r'\\'//' // x":             "_r'\\'//' ",
		"br'\\' // x":                "br'\\' ",
		"a / b // c":                 "a / b ",
		"a.`x//y` // c":              "a.`x//y` ",
	} {
		if got := withoutComments(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestCondition: a condition is on one line, without comments, and the lines of its strings are told apart.
func TestCondition(t *testing.T) {
	for expr, want := range map[string]string{
		"declaration.model.name == \"\"\"m // not a comment\n\"\"\" && // a comment\n  true": `declaration.model.name == """m // not a comment\n""" &&    true`,
		"declaration.kind ==\n'a'": "declaration.kind == 'a'",
	} {
		var r Rule
		if found := r.ReadCondition(Source{Text: expr})(); len(found) > 0 {
			t.Fatal(found)
		}
		if got := r.Condition(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%q\n got %s\nwant %s", expr, got, want)
		}
	}
}
