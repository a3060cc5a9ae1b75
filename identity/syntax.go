package identity

import "strings"

// The spellings below are those of the patterns in declaration.schema.json; a test
// compares the two.

// isAbsoluteURI tells a scheme, a colon and at least one more character that RFC 3986 allows.
func isAbsoluteURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || !isLetter(scheme[0]) {
		return false
	}
	return allBytes(scheme, func(c byte) bool { return isAlnum(c) || strings.IndexByte("+.-", c) >= 0 }) &&
		allBytes(rest, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-._~:/?#[]@!$&'()*+,;=%", c) >= 0 })
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isAlnum(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

func allBytes(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
