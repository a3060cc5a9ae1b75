package secrets

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// Members of objects inside a string: JSON, a literal of Python, a flow mapping of YAML, whole or in part.

// memberName is the name of a member up to its value: in quotation marks, which may have backslashes before them, or else bare.
var memberName = lazyregexp.New(`\\*["']((?:[^"'\\\r\n]|\\+[^"'\\\r\n])+)\\*["'][ \t\r\n]*(?:=>|[:=])[ \t\r\n]*|([A-Za-z0-9_.-]+)[ \t]*:[ \t\r\n]*`)

// isObject tells a string that begins as an object or a list does, perhaps behind NAME=.
func isObject(s string) bool {
	s = strings.TrimLeft(s[len(assignment.FindString(s)):], " \t\r\n\"'\\")
	return s != "" && (s[0] == '{' || s[0] == '[')
}

// members is s with the mark for the values of members with secret names. Bare names count if bare says so.
func members(s string, isSecret func(string) bool, bare bool) string {
	if strings.IndexByte(s, ':') < 0 && strings.IndexByte(s, '=') < 0 {
		return s
	}
	var b strings.Builder
	done := 0
	for at := 0; ; {
		m := memberName.FindStringSubmatchIndex(s[at:])
		if m == nil {
			break
		}
		begin, start := at+m[0], at+m[1]
		isBare := m[2] < 0
		if isBare {
			m[2], m[3] = m[4], m[5]
		}
		name := s[at+m[2] : at+m[3]]
		at = start
		if isBare && (!bare || begin > 0 && strings.IndexByte(" \t\r\n,;({[", s[begin-1]) < 0) || !isSecret(decoded(name)) {
			continue
		}
		start, end := memberValue(s, start)
		if isPlainWord(s[start:end]) {
			continue
		}
		b.WriteString(s[done:start] + Mark)
		done, at = end, end
	}
	if done == 0 {
		return s
	}
	return b.String() + s[done:]
}

// escape is a character by its number, in a string of JSON, JavaScript, Python or YAML; one inside another string has more backslashes.
var escape = lazyregexp.New(`\\+(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2})`)

// decoded is a name without escape sequences, but for backslashes, which do not count in names.
func decoded(name string) string {
	if strings.IndexByte(name, '\\') < 0 {
		return name
	}
	return string(escape.ReplaceAllFunc([]byte(name), func(s []byte) []byte {
		n, err := strconv.ParseUint(string(bytes.TrimLeft(s, `\uUx`)), 16, 32)
		if err != nil || n > unicode.MaxRune {
			return s
		}
		return []byte(string(rune(n)))
	}))
}

// isPlainWord tells a value that holds nothing.
func isPlainWord(value string) bool {
	switch strings.ToLower(strings.Trim(value, " \t\r\n{}[]")) {
	case "", "true", "false", "null", "none":
		return true
	}
	return false
}

// memberValue is where the value stands that begins at start: a text between its quotation marks, an object or list with its brackets, or
// what stands before a comma, a semicolon, a closing bracket or a line break. It is the rest of s if it does not end.
func memberValue(s string, start int) (int, int) {
	if q := quotationAt(s, start); q.open > 0 {
		return q.open, q.end
	}
	if start == len(s) || s[start] != '{' && s[start] != '[' {
		return start, indexAny(s, start, ",;)]}\r\n")
	}
	depth := 0
	for at := start; at < len(s); {
		q := quotationAt(s, at)
		at = q.next
		if q.open > 0 {
			continue
		}
		switch s[at-1] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return start, at
			}
		}
	}
	return start, len(s)
}

// A quotation is a text in quotation marks: it ends with the next mark of its kind that has no more backslashes before it than the first.
type quotation struct{ open, end, next int }

// quotationAt is the quotation that begins at i, perhaps with backslashes. If there is none, open is 0, and next is behind the backslashes, or
// else behind the byte that stands at i.
func quotationAt(s string, i int) quotation {
	mark := i
	for mark < len(s) && s[mark] == '\\' {
		mark++
	}
	if mark == len(s) || s[mark] != '"' && s[mark] != '\'' {
		return quotation{next: max(mark, i+1)}
	}
	backslashes := 0
	for at := mark + 1; at < len(s); at++ {
		switch {
		case s[at] == '\\':
			backslashes++
			continue
		case s[at] == s[mark] && backslashes <= mark-i:
			return quotation{mark + 1, at - backslashes, at + 1}
		}
		backslashes = 0
	}
	return quotation{mark + 1, len(s), len(s)}
}
