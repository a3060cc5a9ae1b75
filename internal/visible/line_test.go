package visible

import (
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/limits"
)

func TestOneLine(t *testing.T) {
	most := strings.Repeat("é", limits.Message)
	for in, want := range map[string]string{
		"":                      "",
		"a b":                   "a b",
		" \n a\r\n\tb\u2028c  ": "a b c",
		"a\u202eb\x00":          `a\u{202e}b\u{0}`,
		most:                    most,
		most + " ":              most,
		most + "x":              most + "...",
	} {
		if got := OneLine(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
