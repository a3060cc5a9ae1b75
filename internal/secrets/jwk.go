package secrets

import (
	"bytes"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// The members of a JSON Web Key that is private: d (RFC 7518, section 6), k of a symmetric one, and priv of the newer kinds.
var (
	keyType    = lazyregexp.New(`^["']kty\\*["'][ \t\r\n]*:`)
	keyBytes   = lazyregexp.New(`^[A-Za-z0-9_-]{20,}={0,2}$`)
	privateJWK = lazyregexp.New(`^["'](?:d|k|priv)\\*["'][ \t\r\n]*:[ \t\r\n]*\\*["'][A-Za-z0-9_-]{20}`)
)

// holdsJWK tells a text with a private JSON Web Key in it, which may be in a string of JSON: an object that has both a type and a
// private member. Text that is not JSON, such as Python's, is read by its braces and quotes.
func holdsJWK(text []byte) bool {
	if !bytes.Contains(text, []byte("kty")) {
		return false
	}
	type object struct{ hasType, isPrivate bool }
	objects := []object{{}} // those that the place is in, within the text
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{':
			objects = append(objects, object{})
		case '}':
			if len(objects) > 1 {
				objects = objects[:len(objects)-1]
			}
		case '"', '\'':
			last := &objects[len(objects)-1]
			if rest := text[i:min(len(text), i+longestMember)]; len(rest) > 1 && bytes.IndexByte([]byte("kdp"), rest[1]) >= 0 {
				last.hasType = last.hasType || keyType.Match(rest)
				last.isPrivate = last.isPrivate || privateJWK.Match(rest)
			}
			if last.hasType && last.isPrivate {
				return true
			}
			i = behindBraces(text, i)
		}
	}
	return false
}

// longestString is how long a string may be whose braces are passed over.
const longestString = 1 << 16

// longestMember is how much of a member is looked at: its name, and the beginning of its value.
const longestMember = 200

// behindBraces is the end of the string that begins at i, if braces in it are its own and not those of an object within it; else i.
func behindBraces(text []byte, i int) int {
	escape := 0 // the backslashes before the quote, which a string within a string has
	for escape < i && text[i-1-escape] == '\\' {
		escape++
	}
	for n := i + 1; n < min(len(text), i+longestString) && text[n] != '\n'; n++ {
		switch text[n] {
		case '\\':
			run := n
			for run < len(text) && text[run] == '\\' {
				run++
			}
			if run-n > escape || run == len(text) || text[run] != text[i] { // an escape within the string
				n = run
				continue
			}
			n = run
		case text[i]:
			if escape > 0 { // the end of a string around it
				return i
			}
		default:
			continue
		}
		if within := text[i+1 : n]; len(within) > len("kty")+escape && bytes.Contains(within, []byte("kty")) {
			return i
		}
		return n
	}
	return i
}
