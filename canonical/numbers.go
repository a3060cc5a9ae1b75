package canonical

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// A number is a number's text, taken apart: src[start:end], whose digits before the
// exponent are src[whole:mantissaEnd] with perhaps a point among them.
type number struct {
	start, whole, mantissaEnd, end int

	digits   int    // in the mantissa, including zeros
	fraction int    // of those after the point
	mantissa uint64 // all of them, if they are at most 19
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// num scans the number at i and returns the position after it, or -1. Most numbers are
// integers of a few digits.
func (t *transformer) num(i int) int {
	src := t.src
	if at(src, i) != '0' {
		for j := i; j < len(src) && j <= i+safeDigits; j++ {
			if c := src[j]; !isDigit(c) {
				if j > i && c != '.' && c|0x20 != 'e' {
					return j
				}
				break
			}
		}
	}
	return t.anyNum(i)
}

// anyNum is num for all numbers.
func (t *transformer) anyNum(i int) int {
	src := t.src
	n := number{start: i}
	if at(src, i) == '-' {
		i++
	}
	n.whole = i
	var w uint64
	for ; i < len(src) && isDigit(src[i]); i++ {
		w = w*10 + uint64(src[i]-'0')
	}
	n.digits = i - n.whole
	if n.digits == 0 {
		return t.fail(codeSyntax, i)
	}
	if src[n.whole] == '0' && n.digits > 1 {
		return t.fail(codeSyntax, n.whole+1)
	}
	if at(src, i) == '.' {
		i++
		fraction := i
		for i+8 <= len(src) {
			v, ok := eightDigits(binary.LittleEndian.Uint64(src[i : i+8]))
			if !ok {
				break
			}
			w = w*1e8 + v
			i += 8
		}
		for ; i < len(src) && isDigit(src[i]); i++ {
			w = w*10 + uint64(src[i]-'0')
		}
		if n.fraction = i - fraction; n.fraction == 0 {
			return t.fail(codeSyntax, i)
		}
		n.digits += n.fraction
	}
	n.mantissaEnd, n.end, n.mantissa = i, i, w
	if at(src, i)|0x20 == 'e' {
		if n.end = t.exponentEnd(i); n.end < 0 {
			return -1
		}
	} else if n.digits <= safeDigits && n.spelledWell(src) {
		return i
	}
	if !t.respell(&n) {
		return -1
	}
	return n.end
}

// eightDigits reads eight digits at once, the first in the lowest byte, if they are digits:
// first pairs of them, then fours, then all.
func eightDigits(x uint64) (value uint64, ok bool) {
	d := x - repeat('0')
	if (d|(x+repeat(0x7F-'9')))&highBits != 0 {
		return 0, false
	}
	d = d*10 + d>>8
	const pairs = 0x000000FF000000FF
	return ((d&pairs)*(100+1000000<<32) + (d>>16&pairs)*(1+10000<<32)) >> 32, true
}

// safeDigits is how many digits a decimal in the range of normal doubles may have so that
// no two of them share a double: each is the shortest decimal for its double then.
const safeDigits = 15

// spelledWell says whether n, of at most 19 digits, is spelled as ECMAScript does, provided
// that its digits are the canonical ones.
func (n *number) spelledWell(src []byte) bool {
	switch {
	case n.mantissaEnd < n.end:
		exp := src[n.mantissaEnd:n.end]
		if len(exp) < 3 || exp[0] != 'e' || isDigit(exp[1]) || exp[2] == '0' {
			return false
		}
		if n.digits-n.fraction > 1 || src[n.whole] == '0' || n.fraction > 0 && src[n.mantissaEnd-1] == '0' {
			return false
		}
		e := exponent(exp[1:])
		return e < -6 || e > 20
	case n.fraction == 0:
		return src[n.whole] != '0' || n.whole == n.start // all but -0
	}
	return src[n.end-1] != '0' && (src[n.whole] != '0' || n.mantissa >= tenTo[max(0, n.fraction-6)])
}

// tenTo are the powers of ten as far as a mantissa of safeDigits needs them.
var tenTo = [safeDigits + 1]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// exponentEnd scans the exponent, whose letter is at i.
func (t *transformer) exponentEnd(i int) int {
	i++
	if c := at(t.src, i); c == '+' || c == '-' {
		i++
	}
	first := i
	for i < len(t.src) && isDigit(t.src[i]) {
		i++
	}
	if i == first {
		return t.fail(codeSyntax, i)
	}
	return i
}

// respell puts the canonical spelling of n in its place.
func (t *transformer) respell(n *number) bool {
	w, k, few := n.mantissa, -int64(n.fraction), n.digits <= 19
	if !few {
		w, k, few = t.significant(t.src[n.whole:n.mantissaEnd])
	}
	if n.mantissaEnd < n.end {
		k += exponent(t.src[n.mantissaEnd+1 : n.end])
	}
	if few && w == 0 {
		t.spell(n, 0, 0)
		return true
	}
	d, q, exact := uint64(0), 0, true
	if few {
		trimmed, zeros := trimZeros(w)
		w, k = trimmed, k+int64(zeros)
		if d, q, few = roundTrip(w, k); few {
			exact = d == w && q == int(k)
		} else {
			t.digits = strconv.AppendUint(t.digits[:0], w, 10)
		}
	}
	if !few {
		f, ok := t.parse(k)
		if !ok {
			t.fail(codeRange, n.start)
			return false
		}
		d, q = format(f)
		exact = q == int(k) && string(strconv.AppendUint(t.spelled[:0], d, 10)) == string(t.digits)
	}
	if t.exact && !exact {
		t.fail(codeInexact, n.start)
		return false
	}
	if !exact || n.digits > 19 || !n.spelledWell(t.src) {
		t.spell(n, d, q)
	}
	return true
}

// roundTrip is the canonical decimal d·10^q of w·10^k, where w does not end in a zero, if
// it can be told quickly.
func roundTrip(w uint64, k int64) (d uint64, q int, ok bool) {
	if k < minPower || k > maxPower {
		return 0, 0, false
	}
	if w < tenTo[safeDigits] && -300 <= k && k <= 280 {
		return w, int(k), true
	}
	f, ok := nearest(w, int(k))
	if !ok {
		return 0, 0, false
	}
	return shortest(f)
}

// exponent reads an exponent, with its sign. Beyond all that the length of a text can
// make up for, its size no longer counts.
func exponent(s []byte) int64 {
	const enough = 1 << 48
	n := int64(0)
	for _, c := range s {
		if isDigit(c) && n < enough {
			n = n*10 + int64(c-'0')
		}
	}
	if s[0] == '-' {
		return -n
	}
	return n
}

// significant reads a mantissa of any length as an integer times 10^k. The digits of the
// integer, which neither begins nor ends with a zero, are left in t.digits; w is the
// integer itself if few says that it has at most 19.
func (t *transformer) significant(mantissa []byte) (w uint64, k int64, few bool) {
	t.digits = t.digits[:0]
	afterPoint := false
	for _, c := range mantissa {
		if c == '.' {
			afterPoint = true
			continue
		}
		if afterPoint {
			k--
		}
		if c != '0' || len(t.digits) > 0 {
			t.digits = append(t.digits, c)
		}
	}
	for n := len(t.digits); n > 0 && t.digits[n-1] == '0'; n-- {
		t.digits = t.digits[:n-1]
		k++
	}
	if len(t.digits) > 19 {
		return 0, k, false
	}
	for _, c := range t.digits {
		w = w*10 + uint64(c-'0')
	}
	return w, k, true
}

// enoughDigits settle which double is nearest to a decimal, if it is known besides whether
// any more follow: a point half-way between two doubles has at most 767 digits.
const enoughDigits = 800

// parse is the double nearest to t.digits·10^k, and whether there is one. It hands strconv
// a text of bounded length with the point in front, since ParseFloat does not weigh an
// exponent of more than five digits against a mantissa of that length.
func (t *transformer) parse(k int64) (float64, bool) {
	point := k + int64(len(t.digits))
	if point > 400 {
		return 0, false
	}
	if point < -400 {
		return 0, true
	}
	text := append(t.spelled[:0], "0."...)
	if len(t.digits) > enoughDigits {
		text = append(append(text, t.digits[:enoughDigits]...), '1')
	} else {
		text = append(text, t.digits...)
	}
	text = strconv.AppendInt(append(text, 'e'), point, 10)
	t.spelled = text
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil && f <= math.MaxFloat64
}

// format is what shortest is, for any double that is not negative.
func format(f float64) (d uint64, q int) {
	if f == 0 {
		return 0, 0
	}
	var memory [32]byte
	text := strconv.AppendFloat(memory[:0], f, 'e', -1, 64)
	mantissa, exp, _ := bytes.Cut(text, []byte{'e'})
	for _, c := range mantissa {
		if c != '.' {
			d = d*10 + uint64(c-'0')
			q--
		}
	}
	return d, q + 1 + int(exponent(exp))
}

// spell puts d·10^q, with the sign of n, in the place of n, unless numbers stay as they are.
func (t *transformer) spell(n *number, d uint64, q int) {
	if t.keep {
		return
	}
	t.spelled = t.spelled[:0]
	if n.whole > n.start && d != 0 {
		t.spelled = append(t.spelled, '-')
	}
	t.spelled = appendDecimal(t.spelled, d, q)
	if string(t.spelled) != string(t.src[n.start:n.end]) {
		t.replace(n.start, n.end, t.spelled)
	}
}

// appendDecimal appends d·10^q as ECMAScript's Number::toString writes it. Unless it is
// zero, d does not end in a zero.
func appendDecimal(dst []byte, d uint64, q int) []byte {
	var memory [20]byte
	digits := strconv.AppendUint(memory[:0], d, 10)
	n := len(digits)
	switch point := n + q; {
	case d == 0:
		return append(dst, '0')
	case n <= point && point <= 21:
		return append(append(dst, digits...), "000000000000000000000"[:point-n]...)
	case 0 < point && point <= 21:
		dst = append(append(dst, digits[:point]...), '.')
		return append(dst, digits[point:]...)
	case -6 < point && point <= 0:
		dst = append(dst, "0.00000"[:2-point]...)
		return append(dst, digits...)
	}
	dst = append(dst, digits[0])
	if n > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	e := n + q - 1
	if e > 0 {
		return strconv.AppendInt(append(dst, "e+"...), int64(e), 10)
	}
	return strconv.AppendInt(append(dst, 'e'), int64(e), 10)
}
