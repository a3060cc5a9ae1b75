// Package shell writes names into commands for a shell (POSIX.1-2024, section 2.2), as hints give them.
package shell

import (
	"fmt"
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/visible"
)

var plain = lazyregexp.New(`^[A-Za-z0-9_./+@%:,-]+$`)

// Path is a file's name as one word, which no program takes for an option. Characters that a terminal does not show are
// written as octal numbers.
func Path(name string) string {
	if strings.HasPrefix(name, "-") {
		name = "./" + name
	}
	return Word(name)
}

// Word is a text as one word. What printf prints loses the line feeds at its end, so that those come from IFS, which begins
// as a space, a tab and a line feed in each shell.
func Word(text string) string {
	switch {
	case plain.MatchString(text):
		return text
	case visible.Escape(text) != text:
		begin := strings.TrimRight(text, "\n")
		return `"$(printf '` + octal(begin) + `')` + strings.Repeat("${IFS#??}", len(text)-len(begin)) + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// octal is a text as printf takes it between quotes.
func octal(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`\%'`, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
