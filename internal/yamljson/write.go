package yamljson

import (
	"fmt"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/lazyregexp"
)

// Append appends a value, which package canonical has written, as YAML that every reader takes for the same: blocks of
// members and elements, strings in double quotes, and names too unless they are plain words.
func Append(dst []byte, v jsontree.Value) []byte {
	return append(appendBlock(dst, v, 0), '\n')
}

func appendBlock(dst []byte, v jsontree.Value, indent int) []byte {
	first := true
	begin := func() {
		if !first {
			dst = append(append(dst, '\n'), strings.Repeat("  ", indent)...)
		}
		first = false
	}
	switch {
	case v.Kind() == jsontree.Object && v.Len() > 0:
		for name, m := range v.Members() {
			begin()
			if name := key(name); len(name) > longestKey {
				dst = append(append(append(dst, "? "...), name...), '\n')
				dst = append(append(dst, strings.Repeat("  ", indent)...), ':')
			} else {
				dst = append(append(dst, name...), ':')
			}
			if isBlock(m) {
				dst = append(append(dst, '\n'), strings.Repeat("  ", indent+1)...)
			} else {
				dst = append(dst, ' ')
			}
			dst = appendBlock(dst, m, indent+1)
		}
	case v.Kind() == jsontree.Array && v.Len() > 0:
		for _, e := range v.Elements() {
			begin()
			dst = appendBlock(append(dst, "- "...), e, indent+1)
		}
	default:
		dst = append(dst, escaped.Replace(string(v.Raw()))...)
	}
	return dst
}

// escaped are the characters that JSON need not escape, and YAML refuses as they are, or some readers of it take for line breaks;
// they stand in strings alone.
var escaped = strings.NewReplacer(escapes()...)

func escapes() []string {
	pairs := []string{"\u2028", `\u2028`, "\u2029", `\u2029`, "\ufeff", `\ufeff`, "\ufffe", `\ufffe`, "\uffff", `\uffff`}
	for c := rune(0x7f); c < 0xa0; c++ {
		pairs = append(pairs, string(c), fmt.Sprintf(`\u%04x`, c))
	}
	return pairs
}

// longestKey is how long a name may be that has its colon on its line: readers look no further than 1,024 characters for it.
const longestKey = 1000

func isBlock(v jsontree.Value) bool {
	return (v.Kind() == jsontree.Object || v.Kind() == jsontree.Array) && v.Len() > 0
}

var word = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_-]*$`)

// notWords are read as other values by some.
var notWords = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

func key(name []byte) string {
	if word.Match(name) && !slices.Contains(notWords, strings.ToLower(string(name))) {
		return string(name)
	}
	return quote(string(name))
}

// quote writes a string in double quotes.
func quote(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			b.WriteString(`\u00` + string(hex[c>>4]) + string(hex[c&15]))
		default:
			b.WriteByte(c)
		}
	}
	return escaped.Replace(b.String()) + `"`
}
