package canonical

import (
	"strconv"
	"strings"
)

// The functions here run on error paths only: they are written to be short, not fast.

// Locate returns the offset of the value that an RFC 6901 pointer names in src, which
// must be valid JSON text. It gives a place to errors that are about a value's meaning.
func Locate(src []byte, pointer string) (offset int, ok bool) {
	i := skipSpace(src, 0)
	if pointer == "" {
		return i, i < len(src)
	}
	tokens := strings.Split(pointer, "/")
	if tokens[0] != "" {
		return 0, false
	}
	for _, token := range tokens[1:] {
		switch at(src, i) {
		case '{':
			i, ok = locateMember(src, i, unescapePointer.Replace(token))
		case '[':
			i, ok = locateElement(src, i, token)
		default:
			ok = false
		}
		if !ok {
			return 0, false
		}
	}
	return i, true
}

var (
	unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
	escapePointer   = strings.NewReplacer("~", "~0", "/", "~1")
)

func locateMember(src []byte, i int, name string) (int, bool) {
	i = skipSpace(src, i+1)
	for at(src, i) == '"' {
		end := skipString(src, i)
		if end > len(src) {
			break
		}
		found := string(appendUnescaped(nil, src[i+1:end-1])) == name
		i = skipSpace(src, end)
		if at(src, i) != ':' {
			break
		}
		i = skipSpace(src, i+1)
		if found {
			return i, i < len(src)
		}
		i = skipSpace(src, skipValue(src, i))
		if at(src, i) != ',' {
			break
		}
		i = skipSpace(src, i+1)
	}
	return 0, false
}

func locateElement(src []byte, i int, token string) (int, bool) {
	n, err := strconv.Atoi(token)
	if err != nil || strconv.Itoa(n) != token {
		return 0, false
	}
	i = skipSpace(src, i+1)
	for ; n > 0; n-- {
		i = skipSpace(src, skipValue(src, i))
		if at(src, i) != ',' {
			return 0, false
		}
		i = skipSpace(src, i+1)
	}
	return i, i < len(src) && src[i] != ']'
}

// skipString is the position after the string at i, beyond len(src) if it has no end.
func skipString(src []byte, i int) int {
	for i++; i < len(src) && src[i] != '"'; i++ {
		if src[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue is the position after the value at i.
func skipValue(src []byte, i int) int {
	for depth := 0; i < len(src); {
		switch src[i] {
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			i++
		case '"':
			i = skipString(src, i)
		case ',', ':', ' ', '\t', '\n', '\r':
			i++
			continue
		default:
			i = skipScalar(src, i)
		}
		if depth == 0 {
			break
		}
	}
	return min(i, len(src))
}

// skipScalar is the position after the number or literal, or what is meant as one, at i.
func skipScalar(src []byte, i int) int {
	for i++; i < len(src) && strings.IndexByte(",:[]{}\" \t\n\r", src[i]) < 0; i++ {
	}
	return i
}
