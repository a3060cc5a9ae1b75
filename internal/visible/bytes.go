package visible

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// escaped is how escapeBytes writes a byte: a string with such a text in it is escaped, too, and so stays another.
var escaped = lazyregexp.New(`\\x[0-9a-f]{2}`)

// escapeBytes writes bytes that are not UTF-8 as \x and two lower-case hex digits, and doubles the backslashes of such a
// string and of one that reads like it, so that two different file names never become equal. No other string changes.
func escapeBytes(s string) string {
	if utf8.ValidString(s) && !escaped.MatchString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch _, size := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// withoutBytes is a copy of what JSON makes text of, with escapeBytes for its strings. What marshals itself stays.
func withoutBytes(v reflect.Value) reflect.Value {
	if !v.IsValid() || marshalsItself(v.Type()) {
		return v
	}
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		out.SetString(escapeBytes(v.String()))
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(withoutBytes(v.Elem()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(withoutBytes(v.Elem()))
		}
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(withoutBytes(v.Index(i)))
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for _, key := range v.MapKeys() {
			out.SetMapIndex(withoutBytes(key), withoutBytes(v.MapIndex(key)))
		}
	case reflect.Struct:
		withoutBytesIn(out)
	}
	return out
}

// withoutBytesIn changes the fields of a struct that can be set.
func withoutBytesIn(v reflect.Value) {
	for i := range v.NumField() {
		switch field := v.Type().Field(i); {
		case field.IsExported():
			v.Field(i).Set(withoutBytes(v.Field(i)))
		case field.Anonymous && field.Type.Kind() == reflect.Struct: // whose own fields may be exported
			withoutBytesIn(v.Field(i))
		}
	}
}

func marshalsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() != reflect.Interface && (p.Implements(jsonMarshaler) || p.Implements(textMarshaler))
}
