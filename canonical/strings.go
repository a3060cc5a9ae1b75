package canonical

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const highBits = 0x8080808080808080

// repeat is a word of eight bytes c.
func repeat(c byte) uint64 { return uint64(c) * 0x0101010101010101 }

// Eight bytes each. They are variables since an instruction takes an operand of this size
// from memory, but a constant only by way of a register and a second instruction. That
// makes a quarter of the time of BenchmarkASCII.
var (
	bit1s      = repeat('"' ^ ' ')
	controls   = repeat(' ' + 1)
	backslash8 = repeat('\\')
	ones       = repeat(1)
	high       = repeat(0x80)
)

// special has the high bit set in the first byte of x that is a quote, a backslash or a
// control character; the bits above it mean nothing. Subtracting borrows only from above
// a match, so the lowest set bit is exact; bytes from 0x80 never match. Bit 1 flipped, a
// quote is a space and the control characters are still all below it.
func special(x uint64) uint64 {
	return (((x ^ bit1s) - controls) | ((x ^ backslash8) - ones)) &^ x & high
}

// unusual is special for which bytes from 0x80 match, too.
func unusual(x uint64) uint64 {
	return (((x ^ bit1s) - controls) | ((x ^ backslash8) - ones) | x) & high
}

// ascii returns the position of the first quote, backslash, control character or byte from
// 0x80 at or after i, or len(src). It takes four words at a time, with one branch for all:
// see BenchmarkASCII.
func ascii(src []byte, i int) int {
	for ; i+32 <= len(src); i += 32 {
		b := src[i : i+32]
		x, y := unusual(binary.LittleEndian.Uint64(b)), unusual(binary.LittleEndian.Uint64(b[8:]))
		z, w := unusual(binary.LittleEndian.Uint64(b[16:])), unusual(binary.LittleEndian.Uint64(b[24:]))
		if x|y|z|w != 0 {
			if x|y != 0 {
				return i + first(x, y)
			}
			return i + 16 + first(z, w)
		}
	}
	for ; i+8 <= len(src); i += 8 {
		if s := unusual(binary.LittleEndian.Uint64(src[i : i+8])); s != 0 {
			return i + bits.TrailingZeros64(s)>>3
		}
	}
	for ; i < len(src); i++ {
		if c := src[i]; c == '"' || c == '\\' || c < 0x20 || c >= 0x80 {
			break
		}
	}
	return i
}

// plain is ascii for text beyond ASCII: it does not stop at bytes from 0x80.
func plain(src []byte, i int) int {
	for ; i+32 <= len(src); i += 32 {
		b := src[i : i+32]
		x, y := special(binary.LittleEndian.Uint64(b)), special(binary.LittleEndian.Uint64(b[8:]))
		if x|y != 0 {
			return i + first(x, y)
		}
		x, y = special(binary.LittleEndian.Uint64(b[16:])), special(binary.LittleEndian.Uint64(b[24:]))
		if x|y != 0 {
			return i + 16 + first(x, y)
		}
	}
	for ; i < len(src); i++ {
		if c := src[i]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
	}
	return i
}

// first is which of the 16 bytes of s and r is the first that is not 0. One bit scan is
// all it does, since that is slow on some processors.
func first(s, r uint64) int {
	n := 0
	if s == 0 { // compiled without a branch
		s, n = r, 8
	}
	return n + bits.TrailingZeros64(s)>>3
}

// str scans the string whose opening quote is at i and returns the position after its
// closing quote, or -1. Up to from it is known to be plain ASCII. It sets t.escaped.
func (t *transformer) str(i, from int) int {
	t.escaped = false
	end := from
	if at(t.src, from) < 0x80 { // what begins otherwise mostly goes on so
		end = ascii(t.src, from)
	}
	if end < len(t.src) && t.src[end] == '"' {
		return end + 1
	}
	return t.strTail(i+1, end)
}

// strTail goes on at i in the string that begins at start. Up to i it is plain ASCII.
func (t *transformer) strTail(start, i int) int {
	src := t.src
	wide := false // it is not all ASCII
	for {
		c := at(src, i)
		switch {
		case c == '\\':
			t.escaped = true
			if c := at(src, i+1); c == 'n' || c == '"' { // most escapes in prompts
				i += 2
			} else if i = t.escape(i); i < 0 {
				// What is wrong first in the text is reported first.
				if n := validPrefix(src[start:t.offset]); n < t.offset-start {
					return t.fail(codeUTF8, start+n)
				}
				return -1
			}
		case c >= 0x80:
			wide = true
		default:
			if wide && !utf8.Valid(src[start:i]) {
				return t.fail(codeUTF8, start+validPrefix(src[start:i]))
			}
			if c != '"' {
				return t.fail(codeSyntax, i)
			}
			return i + 1
		}
		if wide {
			i = plain(src, i)
		} else {
			i = ascii(src, i)
		}
	}
}

// validPrefix is how many bytes of s are valid UTF-8.
func validPrefix(s []byte) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRune(s[n:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		n += size
	}
	return n
}

// escape scans the escape sequence whose backslash is at i and returns the position after
// it, or -1. A sequence that is not as RFC 8785 writes it is replaced.
func (t *transformer) escape(i int) int {
	switch at(t.src, i+1) {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case '/':
		t.skip(i, i+1)
		return i + 2
	case 'u':
	default:
		return t.fail(codeSyntax, min(i+1, len(t.src)))
	}
	r, n := hex4(t.src, i+2)
	if n < 4 {
		return t.fail(codeSyntax, i+2+n)
	}
	end := i + 6
	if utf16.IsSurrogate(r) {
		if at(t.src, end) != '\\' || at(t.src, end+1) != 'u' {
			return t.fail(codeSurrogate, i)
		}
		low, n := hex4(t.src, end+2)
		if n < 4 {
			return t.fail(codeSyntax, end+2+n)
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return t.fail(codeSurrogate, i)
		}
		end += 6
	}
	t.spelled = appendRune(t.spelled[:0], r)
	if string(t.spelled) != string(t.src[i:end]) {
		t.replace(i, end, t.spelled)
	}
	return end
}

// hex4 reads the four hexadecimal digits at i; n is how many of them there are.
func hex4(src []byte, i int) (r rune, n int) {
	for n < 4 {
		c := at(src, i+n)
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return r, n
		}
		n++
	}
	return r, n
}

// appendRune appends r as RFC 8785 section 3.2.2.2 writes it inside a string.
func appendRune(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	if r < 0x20 {
		const hex = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
	}
	return utf8.AppendRune(dst, r)
}

// appendUnescaped appends the characters of a valid string, given without its quotes.
func appendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		r, n := unescape(s[i:])
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return dst
}

// unescape reads the valid escape sequence at the start of s and its length.
func unescape(s []byte) (rune, int) {
	switch s[1] {
	case 'b':
		return '\b', 2
	case 't':
		return '\t', 2
	case 'n':
		return '\n', 2
	case 'f':
		return '\f', 2
	case 'r':
		return '\r', 2
	case 'u':
		r, _ := hex4(s, 2)
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		low, _ := hex4(s, 8)
		return utf16.DecodeRune(r, low), 12
	}
	return rune(s[1]), 2
}
