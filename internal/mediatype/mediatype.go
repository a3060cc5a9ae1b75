// Package mediatype tells the media types that a declaration may have.
package mediatype

import "strings"

// Valid tells type "/" subtype, each a restricted-name of RFC 6838, without parameters.
func Valid(s string) bool {
	major, minor, ok := strings.Cut(s, "/")
	return ok && isRestrictedName(major) && isRestrictedName(minor)
}

func isRestrictedName(s string) bool {
	if s == "" || len(s) > 127 || !isAlnum(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte("!#$&^_.+-", s[i]) < 0 {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }
