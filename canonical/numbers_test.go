package canonical

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// The published proof of a number formatter for RFC 8785: a hash over generated lines
// `bits,number`. The lines and the hashes are those of es6testfile100m.txt, described in
// testdata/README.md of github.com/cyberphone/json-canonicalization.
var es6Hashes = map[int]string{
	1e3: "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687",
	1e4: "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892",
	1e5: "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7",
	1e6: "49415fee2c56c77864931bd3624faad425c3c577d6d74e89a83bc725506dad16",
	1e7: "b9f8a44a91d46813b21b9602e72f112613c91408db0b8341fb94603d9db135e0",
	1e8: "0f7dda6b0837dde083c5d6b896f7d62340c8a2415b0c7121d83145e08a755272",
}

var numberLines = flag.Int("number-lines", 1e6, "how many lines of the ES6 number test to check: a power of ten up to 1e8, as digits")

//go:embed testdata/es6-numbers.txt
var es6Numbers string

// es6Doubles calls f with the first n doubles of the test: fixed ones, 2,000 around the
// least normal double, then what a chain of SHA-256 gives.
func es6Doubles(t *testing.T, n int, f func(float64)) {
	for line := range strings.Lines(es6Numbers) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		bits, err := strconv.ParseUint(line, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		f(math.Float64frombits(bits))
		n--
	}
	for i := range uint64(min(n, 2000)) {
		f(math.Float64frombits(1<<52 + i))
		n--
	}
	var block [sha256.Size]byte
	for n > 0 {
		block = sha256.Sum256(block[:])
		for i := 0; i < len(block) && n > 0; i += 8 {
			x := math.Float64frombits(binary.LittleEndian.Uint64(block[i:]))
			if x != 0 && !math.IsNaN(x) && !math.IsInf(x, 0) {
				f(x)
				n--
			}
		}
	}
}

func TestES6Numbers(t *testing.T) {
	want, ok := es6Hashes[*numberLines]
	if !ok {
		t.Fatalf("no hash is known for %d lines", *numberLines)
	}
	h := sha256.New()
	var line, text []byte
	k := 0
	es6Doubles(t, *numberLines, func(x float64) {
		// Shortest or 17 digits, with or without an exponent: the number is the same.
		k++
		switch {
		case k%2 == 0:
			text = strconv.AppendFloat(text[:0], x, 'e', 16, 64)
		case k%16 == 1:
			text = strconv.AppendFloat(text[:0], x, 'f', -1, 64)
		default:
			text = strconv.AppendFloat(text[:0], x, 'g', -1, 64)
		}
		line = append(strconv.AppendUint(line[:0], math.Float64bits(x), 16), ',')
		var err error
		if line, err = Append(line, text); err != nil {
			t.Fatal(err)
		}
		h.Write(append(line, '\n'))
	})
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("hash of %d lines is %s, want %s", *numberLines, got, want)
	}
}

// RFC 8785 appendix B.
func TestAppendixB(t *testing.T) {
	for _, tt := range []struct {
		bits uint64
		want string
	}{
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"},
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
	} {
		// The full decimal expansion of the double, up to 1,075 digits.
		text := new(big.Float).SetFloat64(math.Float64frombits(tt.bits)).Text('f', 1100)
		if got, err := Transform([]byte(text)); err != nil || string(got) != tt.want {
			t.Errorf("%x: %s %v, want %s", tt.bits, got, err, tt.want)
		}
	}
}

func TestExactNumbers(t *testing.T) {
	for in, exact := range map[string]bool{
		"-0": true, "0e999999999": true, "1e-05": true, "1.0": true, "1E30": true, "4.50": true, "9007199254740993": false,
		"18446744073709551616": false, "18446744073709552000": true, "0.1000000000000000055": false, "1e-400": false,
		"5e-324": true, "4.9e-324": false, "1.7976931348623157e308": true, "0.1": true, "123456789012345678": false,
		"9007199254740992": true, "9007199254740994": true, "2.2250738585072014e-308": true, "0.30000000000000004": true,
		"0.3000000000000000400": true, "0.30000000000000005": false, "1e308": true, "123456789012345680": true,
		strings.Repeat("1", 400) + "e-390": false, "1" + strings.Repeat("0", 400) + "e-400": true,
		"0." + strings.Repeat("0", 400) + "15e400": true,
	} {
		_, err := Options{ExactNumbers: true}.Append(nil, []byte(in))
		var e *Error
		if exact != (err == nil) || err != nil && (!errors.As(err, &e) || e.Code != codeInexact) {
			t.Errorf("%s: %v, want exact %v", in, err, exact)
		}
	}
}

// Numbers that are nothing but long cost linear time and are still read right.
func TestHostileNumbers(t *testing.T) {
	const long = 1 << 20
	zeros, nines := strings.Repeat("0", long), strings.Repeat("9", long)
	for _, tt := range []struct{ in, want string }{
		{"1" + zeros + "e-" + strconv.Itoa(long), "1"},
		{"0." + zeros + "1e" + strconv.Itoa(long+1), "1"},
		{"0." + zeros + "1", "0"},
		{"0e" + nines, "0"},
		{"1e-" + nines, "0"},
		{"1e+" + zeros + "1", "10"},
		{"0." + nines, "1"},
		{"9007199254740993." + zeros, "9007199254740992"},
		{"9007199254740993." + zeros + "1", "9007199254740994"},
		{"-0." + zeros, "0"},
	} {
		if got, err := Transform([]byte(tt.in)); err != nil || string(got) != tt.want {
			t.Errorf("%.20s... (%d bytes): %.30s %v, want %s", tt.in, len(tt.in), got, err, tt.want)
		}
	}
	for _, in := range []string{"1" + zeros, nines, "1e" + nines, "-1e+" + nines} {
		var e *Error
		if _, err := Transform([]byte(in)); !errors.As(err, &e) || e.Code != codeRange {
			t.Errorf("%.20s...: %v, want range", in, err)
		}
	}
}

// The table and the two estimates of logarithms are what they are said to be.
func TestPowers(t *testing.T) {
	two := big.NewInt(2)
	for k := minPower; k <= maxPower; k++ {
		p := powers[k-minPower]
		low := new(big.Int).SetUint64(p.hi)
		low.Lsh(low, 64).Or(low, new(big.Int).SetUint64(p.lo))
		high := new(big.Int).Add(low, big.NewInt(1))
		// low·2^e <= 10^k < (low+1)·2^e, all multiplied so that exponents are positive.
		pow10 := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(k, -k))), nil)
		pow2 := new(big.Int).Exp(two, big.NewInt(int64(max(exponent2(k), -exponent2(k)))), nil)
		want := big.NewInt(1)
		for _, side := range []struct {
			invert bool
			by     *big.Int
		}{{k < 0, pow10}, {exponent2(k) > 0, pow2}} {
			if side.invert {
				low.Mul(low, side.by)
				high.Mul(high, side.by)
			} else {
				want.Mul(want, side.by)
			}
		}
		if p.hi>>63 != 1 || low.Cmp(want) > 0 || want.Cmp(high) >= 0 {
			t.Errorf("wrong power of ten: 1e%d", k)
		}
	}
	for e := -1074; e <= 971; e++ {
		if q := int(math.Floor(float64(e) * math.Log10(2))); e*78913>>18 != q {
			t.Errorf("2^%d: %d, want %d", e, e*78913>>18, q)
		}
	}
}

// Where the quick conversions say that they know, they agree with strconv.
func TestFloatsAgainstStrconv(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	told := 0
	const tries = 100_000
	for range tries {
		f := math.Float64frombits(r.Uint64() >> 1)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		d, q := format(f)
		if d2, q2, ok := shortest(f); ok {
			told++
			if d != d2 || q != q2 {
				t.Fatalf("shortest(%v) = %d %d, want %d %d", f, d2, q2, d, q)
			}
		}
		// Decimals just beside the middle of two doubles are the hard ones.
		middle := new(big.Float).SetPrec(60).SetFloat64(f)
		middle.Add(middle, new(big.Float).SetFloat64((math.Nextafter(f, math.Inf(1))-f)/2))
		text := middle.Text('e', 15+int(r.Uint64()%4))
		mantissa, exp, _ := strings.Cut(text, "e")
		w, _ := strconv.ParseUint(strings.Replace(mantissa, ".", "", 1), 10, 64)
		k, _ := strconv.Atoi(exp)
		k -= len(mantissa) - 2
		want, _ := strconv.ParseFloat(text, 64)
		if got, ok := nearest(max(w, 1), k); ok && w > 0 && got != want {
			t.Fatalf("nearest(%d, %d) = %v, want %v", w, k, got, want)
		}
	}
	if told < tries*9/10 {
		t.Errorf("shortest knew only %d of %d", told, tries)
	}
}
