package canonical

import (
	"bytes"
	"math"
	"strconv"
)

// A decimal is the value 0.DIGITS × 10^point. The digits neither begin nor end with a
// zero; zero has none.
type decimal struct {
	negative bool
	digits   []byte
	point    int
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number scans the number at i and returns the position after it, or -1.
func (t *transformer) number(i int) int {
	src := t.src
	start := i
	if at(src, i) == '-' {
		i++
	}
	whole := i
	for isDigit(at(src, i)) {
		i++
	}
	switch {
	case i == whole:
		return t.fail(codeSyntax, i)
	case src[whole] == '0' && i > whole+1:
		return t.fail(codeSyntax, whole+1)
	}
	wholeEnd := i
	if at(src, i) == '.' {
		i++
		fraction := i
		for isDigit(at(src, i)) {
			i++
		}
		if i == fraction {
			return t.fail(codeSyntax, i)
		}
	}
	mantissaEnd := i
	if at(src, i)|0x20 == 'e' {
		i++
		if c := at(src, i); c == '+' || c == '-' {
			i++
		}
		exponent := i
		for isDigit(at(src, i)) {
			i++
		}
		if i == exponent {
			return t.fail(codeSyntax, i)
		}
	} else if wholeEnd == i && i-whole <= 15 && (src[whole] != '0' || whole == start) {
		return i // an integer that is written as it shall be
	}
	return t.respell(start, whole, mantissaEnd, i)
}

// respell puts the canonical spelling of the number src[start:end] in its place. Its
// mantissa, without the sign, is src[whole:mantissaEnd].
func (t *transformer) respell(start, whole, mantissaEnd, end int) int {
	src := t.src
	d := decimal{negative: whole > start}
	t.digits, d.point = appendSignificant(t.digits[:0], src[whole:mantissaEnd])
	d.digits = t.digits
	if len(d.digits) == 0 {
		d.negative = false
	} else if mantissaEnd < end {
		d.point += exponent(src[mantissaEnd+1 : end])
	}
	n := len(t.digits)
	// A decimal of at most 15 digits in the normal range of a double is the shortest
	// that denotes its double: two such decimals never share one.
	if n > 15 || d.point < -300 || d.point > 300 {
		if d.point > 400 {
			return t.fail(codeRange, start)
		}
		f, ok := d.float()
		if !ok {
			return t.fail(codeRange, start)
		}
		short := shortest(t.digits, f)
		exact := d.point == short.point && bytes.Equal(d.digits, short.digits)
		if t.exact && !exact {
			return t.fail(codeInexact, start)
		}
		short.negative = d.negative && len(short.digits) > 0
		d = short
	}
	t.spelled = d.append(t.spelled[:0])
	if !bytes.Equal(t.spelled, src[start:end]) {
		t.skip(start, end)
		t.out = append(t.out, t.spelled...)
	}
	return end
}

// appendSignificant appends the digits of a mantissa without leading and trailing zeros,
// and says where its decimal point stands relative to the first of them.
func appendSignificant(dst, mantissa []byte) ([]byte, int) {
	point, seenPoint := 0, false
	for _, c := range mantissa {
		switch {
		case c == '.':
			seenPoint = true
			continue
		case c != '0' || len(dst) > 0:
			dst = append(dst, c)
			if !seenPoint {
				point++
			}
		case seenPoint:
			point--
		}
	}
	return bytes.TrimRight(dst, "0"), point
}

// exponent reads an exponent, with its sign. Beyond all that the length of a text can
// make up for, it no longer counts.
func exponent(s []byte) int {
	const enough = 1 << 50
	n := 0
	for _, c := range s {
		if isDigit(c) && n < enough {
			n = n*10 + int(c-'0')
		}
	}
	if s[0] == '-' {
		return -n
	}
	return n
}

// enoughDigits settle which double is nearest to a decimal, if it is also known whether
// any digits follow: a point half-way between two doubles has at most 767 digits.
const enoughDigits = 800

// float is the double nearest to the magnitude of d, and whether there is one.
func (d decimal) float() (float64, bool) {
	if d.point < -400 {
		return 0, true
	}
	digits := d.digits
	var b []byte
	b = append(b, "0."...)
	if len(digits) > enoughDigits {
		b = append(append(b, digits[:enoughDigits]...), '1')
	} else {
		b = append(b, digits...)
	}
	b = strconv.AppendInt(append(b, 'e'), int64(d.point), 10)
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil && f <= math.MaxFloat64
}

// shortest is the shortest decimal that denotes f, the closest of those. Its digits are
// appended to dst.
func shortest(dst []byte, f float64) decimal {
	if f == 0 {
		return decimal{}
	}
	var b [32]byte
	s := strconv.AppendFloat(b[:0], f, 'e', -1, 64)
	e := bytes.IndexByte(s, 'e')
	point, _ := strconv.Atoi(string(s[e+1:]))
	n := len(dst)
	for _, c := range s[:e] {
		if c != '.' {
			dst = append(dst, c)
		}
	}
	return decimal{digits: bytes.TrimRight(dst[n:], "0"), point: point + 1}
}

// append appends d as ECMAScript's Number::toString writes it.
func (d decimal) append(dst []byte) []byte {
	n := len(d.digits)
	if n == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	switch {
	case n <= d.point && d.point <= 21:
		dst = append(dst, d.digits...)
		for range d.point - n {
			dst = append(dst, '0')
		}
		return dst
	case 0 < d.point && d.point <= 21:
		dst = append(dst, d.digits[:d.point]...)
		dst = append(dst, '.')
		return append(dst, d.digits[d.point:]...)
	case -6 < d.point && d.point <= 0:
		dst = append(dst, "0."...)
		for range -d.point {
			dst = append(dst, '0')
		}
		return append(dst, d.digits...)
	}
	dst = append(dst, d.digits[0])
	if n > 1 {
		dst = append(dst, '.')
		dst = append(dst, d.digits[1:]...)
	}
	dst = append(dst, 'e')
	if d.point > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(d.point-1), 10)
}
