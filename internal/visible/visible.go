// Package visible escapes text for people to look at.
package visible

import (
	"fmt"
	"strings"
	"unicode"
)

// Escape escapes what would let a text move the cursor, begin a line of its own, hide or
// reorder what is printed: control, format and other unseen characters, as \u{hex}.
func Escape(s string) string {
	isUnseen := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.IndexFunc(s, isUnseen) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isUnseen(r) {
			fmt.Fprintf(&b, "\\u{%x}", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
