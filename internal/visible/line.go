package visible

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/runattest/runattest/internal/limits"
)

// OneLine makes text fit for one line of a report: white space is one space, what is not printable is escaped as \u{hex},
// and what is longer than limits.Message characters ends in "...".
func OneLine(s string) string {
	var b strings.Builder
	n := 0
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case n == limits.Message:
			return b.String() + "..."
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if n++; unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u{%x}", r)
		}
	}
	return b.String()
}
