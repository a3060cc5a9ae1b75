package canonical

import (
	"math"
	"math/bits"
)

//go:generate go run gen_powers.go

// The conversions here do one multiplication by a 128-bit power of ten. They know how far
// the product can be from the true value, and where that could change the answer, which
// is about once in 2^60 random numbers but usual for integers beyond 2^53, they say that
// they do not know; strconv does then.

// A power is a power of ten, rounded down to 128 bits of which the highest is set.
type power struct{ hi, lo uint64 }

// exponent2 is the e for which 10^k lies between 2^(e+127) and 2^(e+128).
func exponent2(k int) int { return k*217706>>16 - 127 }

// times is w·p / 2^64, rounded down. With the true power in the place of p, the product
// is less than 2 more.
func (p power) times(w uint64) (hi, lo uint64) {
	hi, mid := bits.Mul64(w, p.hi)
	carry, _ := bits.Mul64(w, p.lo)
	lo, c := bits.Add64(mid, carry, 0)
	return hi + c, lo
}

// nearest is the double nearest to w·10^k, for w > 0, if that is a normal double and
// can be told.
func nearest(w uint64, k int) (f float64, ok bool) {
	if k < minPower || k > maxPower {
		return 0, false
	}
	zeros := bits.LeadingZeros64(w)
	hi, lo := powers[k-minPower].times(w << zeros)
	// 53 of the 63 or 64 bits of hi are the mantissa, what remains decides the rounding.
	n := 10 + hi>>63
	mantissa, rest, half := hi>>n, hi&(1<<n-1), uint64(1)<<(n-1)
	if rest == half && lo == 0 || rest == half-1 && lo >= math.MaxUint64-1 {
		return 0, false
	}
	e := int(n) + 128 + exponent2(k) - zeros
	if rest >= half {
		if mantissa++; mantissa == 1<<53 {
			mantissa, e = 1<<52, e+1
		}
	}
	if e < -1074 || e > 971 {
		return 0, false
	}
	return math.Float64frombits(uint64(e+1075)<<52 | mantissa&(1<<52-1)), true
}

// shortest is the decimal d·10^q with the fewest digits that is nearer to f than to any
// other double, the nearest of several; for positive normal f, if it can be told.
func shortest(f float64) (d uint64, q int, ok bool) {
	b := math.Float64bits(f)
	mantissa, e := b&(1<<52-1), int(b>>52)-1075
	if mantissa == 0 || e < -1074 {
		return 0, 0, false // the doubles below and above are not equally near
	}
	mantissa |= 1 << 52
	// Divided by 10^q, f is v, and the half-way points to its neighbours are v-h and v+h,
	// where h is between 1/2 and 5: all in units of 2^-64, in two words.
	q = e * 78913 >> 18 // log10(2)
	p := powers[-q-minPower]
	n := exponent2(-q) + e + 127
	vInt, vFrac := p.times(mantissa << (n + 1))
	hInt, hFrac := p.hi>>(64-n), p.hi<<n|p.lo>>(64-n)
	lowFrac, borrow := bits.Sub64(vFrac, hFrac, 0)
	highFrac, carry := bits.Add64(vFrac, hFrac, 0)
	low, high := vInt-hInt-borrow+1, vInt+hInt+carry // the integers next to the ends
	const half = 1 << 63
	if lowFrac+2 <= 4 || highFrac+4 <= 4 || vFrac-(half-3) <= 6 {
		return 0, 0, false // an end could be an integer, or v half-way between two
	}
	if d = high / 10; d*10 < low {
		return vInt + vFrac>>63, q, true // no multiple of ten between the ends
	}
	d, zeros := trimZeros(d)
	return d, q + 1 + zeros, true
}

// trimZeros divides w, not 0, by the highest power of ten that divides it.
func trimZeros(w uint64) (trimmed uint64, zeros int) {
	for w%10 == 0 {
		w /= 10
		zeros++
	}
	return w, zeros
}
