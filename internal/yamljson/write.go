package yamljson

import (
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
			dst = append(append(dst, key(name)...), ':')
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
		dst = append(dst, breaks.Replace(string(v.Raw()))...)
	}
	return dst
}

// breaks are line breaks to some readers of YAML, which JSON need not escape; they stand in strings alone.
var breaks = strings.NewReplacer("\u0085", `\u0085`, "\u2028", `\u2028`, "\u2029", `\u2029`, "\ufeff", `\ufeff`, "\x7f", `\u007f`)

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
	return breaks.Replace(b.String()) + `"`
}
