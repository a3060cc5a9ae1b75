package yamljson

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestStrayAliases: text that begins with * where no anchor is does not hide what else is wrong.
func TestStrayAliases(t *testing.T) {
	l := Limits{Bytes: 1 << 20, Entries: 1_000, Depth: 64, Problems: 5, Pointers: 1_000}
	for text, want := range map[string]string{
		"a: *.py\nb: !x 1\nc: [é, *d]\n":             "1:4 /a yaml-alias, 2:4 /b yaml-tag, 3:8 /c/1 yaml-alias",
		"*e : 1\nf: &g 1\nh: *g\n":                   "1:1  yaml-alias, 2:4 /f yaml-anchor, 3:4 /h yaml-alias",
		"k: {*m: 2}\n":                               "1:5 /k yaml-alias",
		"a: *b\n<<: *c\n":                            "1:4 /a yaml-alias, 2:1  yaml-merge",
		"a: *b\nc: [\n":                              "1:4  yaml-alias",
		"a: '*b'\n":                                  "",
		"a: *b\na: *b\na: *b\na: *b\na: *b\na: *b\n": "1:4  yaml-alias",
	} {
		_, problems := Read([]byte(text), "text", l)
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Pointer, p.Code))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %s, want %s", text, strings.Join(got, ", "), want)
		}
	}
	start := time.Now()
	l = Limits{Bytes: 2 << 20, Entries: 100_000, Depth: 64, Problems: 100, Pointers: 1 << 20}
	if _, problems := Read([]byte(strings.Repeat("- *a\n", 50_000)), "text", l); len(problems) != 1 || time.Since(start) > 20*time.Second {
		t.Errorf("%d problems after %s", len(problems), time.Since(start))
	}
}
