package rules

import "testing"

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
