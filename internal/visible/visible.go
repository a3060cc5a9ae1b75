// Package visible escapes text for people to look at.
package visible

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/runattest/runattest/internal/limits"
)

// Escape escapes what would let a text move the cursor, begin a line of its own, hide or
// reorder what is printed: control, format and other unseen characters, as \u{hex}, and bytes that are
// not UTF-8, as \x and two digits.
func Escape(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, isUnseen) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch _, size := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "\\x%02x", s[i])
		case isUnseen(r):
			fmt.Fprintf(&b, "\\u{%x}", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// List is the first few of some names with commas between, and how many more there are.
func List(names []string) string {
	const shown = 10
	if more := len(names) - shown; more > 0 {
		names = append(slices.Clone(names[:shown]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// Cut shortens a text that is too long for a message to its start and its end, which say what it is about and what is
// wanted.
func Cut(s string) string {
	const end = limits.Shown / 4
	if len(s) <= limits.Shown {
		return s
	}
	start, rest := s[:limits.Shown-end], s[len(s)-end:]
	return fmt.Sprintf("%s... (%d bytes more) ...%s", strings.ToValidUTF8(start, ""), len(s)-len(start)-len(rest), strings.ToValidUTF8(rest, ""))
}

// JSON returns the JSON text of v in one line, with the same characters escaped in JSON's way: a terminal shows all
// of it, and parsing it gives v. Bytes that are not UTF-8, which file names may contain, are escaped within the string
// as escapeBytes does.
func JSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	// what stands for a byte that is not UTF-8 (the character itself is written as it is), or may be an escaped byte
	if err == nil && (bytes.Contains(text, []byte(`\ufffd`)) || bytes.Contains(text, []byte(`\\x`))) {
		text, err = json.Marshal(withoutBytes(reflect.ValueOf(v)).Interface())
	}
	if err != nil || bytes.IndexFunc(text, isUnseen) < 0 {
		return text, err
	}
	var b bytes.Buffer
	for _, r := range string(text) { // unseen characters stand in strings alone
		switch {
		case !isUnseen(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, "\\u%04x\\u%04x", high, low)
		default:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.Bytes(), nil
}

// isUnseen reports whether a character is invisible. unicode.IsPrint also accepts marks and letters that are.
func isUnseen(r rune) bool {
	return !unicode.IsPrint(r) || r == 0x2800 || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
