package yamljson

import (
	"fmt"
	"strings"
	"testing"
)

// TestOddSpaces: what looks like a blank where a blank belongs is said, with its place; in text it stays.
func TestOddSpaces(t *testing.T) {
	const nbsp, zwsp, bom = "\u00a0", "\u200b", "\ufeff"
	for text, want := range map[string]string{
		"a: 1\nb:\n" + nbsp + " x: 1\n":                           "3:1 yaml-space U+00A0 looks like a blank",
		"b:\n  s:\n    x:" + nbsp + "0.5\n    y:" + nbsp + "40\n": "3:7 yaml-space U+00A0",
		"a: -" + nbsp + "5 C\n":                                   "",
		"b:\n  x: 1\n  " + nbsp + "y: 2\n":                        "3:3 yaml-space U+00A0",
		"b:\n\u3000x: 1\n":                                        "2:1 yaml-space U+3000",
		zwsp + "a: 1\n":                                           "1:1 yaml-space U+200B is not seen",
		"# c\n\u2060a: 1\n":                                       "2:1 yaml-space U+2060 is not seen",
		"a" + nbsp + ": 1\n":                                      "1:2 yaml-space U+00A0",
		"{a:" + nbsp + "b, c: d}\n":                               "1:4 yaml-space U+00A0",
		"a:" + nbsp + "b\nc: d\n":                                 "1:3 yaml-space U+00A0",
		"a: b\nc:\n  -" + nbsp + "x: y\n":                         "3:4 yaml-space U+00A0",
		"a:\n  -" + nbsp + "x\n":                                  "2:4 yaml-space U+00A0",
		"a: {}" + nbsp + "# c\nb: 1\n":                            "1:6 yaml-space U+00A0",
		"\n" + bom + "a: 1\n":                                     "2:1 bom ",
		" " + bom + "a: 1\n":                                      "1:2 bom ",
		"a: b" + nbsp + "c\n":                                     "",
		"a: |\n  x\n  " + nbsp + "y\n":                            "",
		"a: 'x\n   " + nbsp + "y'\n":                              "",
		"'" + nbsp + "a': 1\n":                                    "",
		"a" + nbsp + "b: 1\n":                                     "",
		"\u2764\ufe0f: 1\n":                                       "",
		"\u06a9\u0646\u200c\u0645: \u0645\n":                      "",
		"- a" + nbsp + "b\n":                                      "",
	} {
		doc, found := Read([]byte(text), "text", testLimits)
		got := ""
		for _, p := range found {
			got += fmt.Sprintf("%d:%d %s %s\n", p.Line, p.Column, p.Code, p.Message)
		}
		if (doc == nil) == (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%q: want %q, got %q", text, want, got)
		}
	}
}

// TestFlowHints: what is to do where a flow collection ends before its author's text does.
func TestFlowHints(t *testing.T) {
	for text, want := range map[string]string{
		"a: {x: 'it's'}\n":      "'it''s'",
		"a: [\"say \"hi\"\"]\n": "quote text that has brackets",
		"a: {x: ${VAR}}\n":      "variables and templates are not filled in here",
		"a: {x: ${V:-y}}\n":     "variables and templates are not filled in here",
		"a: {{ x }}\n":          "variables and templates are not filled in here",
		"a: [1, 2}\n":           "commas separate",
	} {
		_, found := Read([]byte(text), "text", testLimits)
		if len(found) == 0 || !strings.Contains(found[0].Hint, want) {
			t.Errorf("%q: want %q, got %+v", text, want, found)
		}
	}
}
