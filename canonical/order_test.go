package canonical

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// Every UTF-16 code unit stands for itself as a name; surrogates stand in pairs. Order and
// escapes are checked against UTF-16 itself and RFC 8785 section 3.2.2.2.
func TestAllCodeUnits(t *testing.T) {
	var runes []rune
	for r := rune(0); r <= 0xFFFF; r++ {
		switch {
		case !utf16.IsSurrogate(r):
			runes = append(runes, r)
		case r < 0xDC00: // this high surrogate and a low one that goes with it
			runes = append(runes, utf16.DecodeRune(r, 0xDC00+(r&0x3FF)))
		default: // a low surrogate, after some high one
			runes = append(runes, utf16.DecodeRune(0xD800+(r&0x3FF)^0x155, r))
		}
	}
	slices.Sort(runes)
	runes = slices.Compact(runes)
	wanted := slices.Clone(runes)
	slices.SortFunc(wanted, func(a, b rune) int {
		return slices.Compare(utf16.Encode([]rune{a}), utf16.Encode([]rune{b}))
	})
	var want strings.Builder
	for i, r := range wanted {
		fmt.Fprintf(&want, ",%s:%d", quoted(r), i)
	}
	position := map[rune]int{}
	for i, r := range wanted {
		position[r] = i
	}
	random := rand.New(rand.NewPCG(3, 4))
	for name, spell := range map[string]func(rune) string{
		"escaped": func(r rune) string {
			s := `"`
			for _, u := range utf16.Encode([]rune{r}) {
				s += fmt.Sprintf(`\u%04x`, u)
			}
			return s + `"`
		},
		"literal": quoted,
	} {
		random.Shuffle(len(runes), func(i, j int) { runes[i], runes[j] = runes[j], runes[i] })
		var text strings.Builder
		for _, r := range runes {
			fmt.Fprintf(&text, ",%s:%d", spell(r), position[r])
		}
		got, err := Transform([]byte("{" + text.String()[1:] + "}"))
		if err != nil || string(got) != "{"+want.String()[1:]+"}" {
			t.Errorf("%s: not in order, or not spelled as it should be (%v)", name, err)
		}
	}
	for _, r := range wanted[1:] {
		a, b := []byte(string(wanted[position[r]-1])), []byte(string(r))
		if compareNames(a, b) != -1 || compareNames(b, a) != 1 || compareNames(b, b) != 0 {
			t.Fatalf("compareNames of %q and %q", a, b)
		}
	}
}

// quoted is r as a canonical string.
func quoted(r rune) string {
	if i := strings.IndexRune("\b\t\n\f\r\"\\", r); i >= 0 {
		return `"\` + string(`btnfr"\`[i]) + `"`
	}
	if r < 0x20 {
		return fmt.Sprintf(`"\u%04x"`, r)
	}
	return `"` + string(r) + `"`
}

// Random names of every length, with long common beginnings.
func TestCompareAgainstUTF16(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	alphabet := []rune("aab\x00\u007f\u0080é€\ud7ff\ue000\uffff😀\U0010ffff")
	name := func() string {
		var s []rune
		for range random.IntN(14) {
			s = append(s, alphabet[random.IntN(len(alphabet))])
		}
		return string(s)
	}
	for range 200_000 {
		a, b := name(), name()
		want := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		if got := Compare(a, b); got != want {
			t.Fatalf("Compare(%q, %q) = %d, want %d", a, b, got, want)
		}
		if got := compareNames([]byte(a), []byte(b)); got != want {
			t.Fatalf("compareNames(%q, %q) = %d, want %d", a, b, got, want)
		}
		x, y := prefix([]byte(a)), prefix([]byte(b))
		if x != y && cmp.Compare(x, y) != want {
			t.Fatalf("prefixes of %q and %q: %x and %x", a, b, x, y)
		}
	}
	if !utf8.ValidString(name()) {
		t.Fatal("the alphabet is not UTF-8")
	}
}

// Objects of every size up to some beyond fewMembers, in every rotation and reversed.
func TestSortSizes(t *testing.T) {
	for n := 1; n <= 2*fewMembers+2; n++ {
		var sorted []string
		for i := range n {
			sorted = append(sorted, fmt.Sprintf(`"common-beginning-%02d":{"b":[%d],"c":""}`, i, i))
		}
		want := "{" + strings.Join(sorted, ",") + "}"
		for shift := range n {
			turned := slices.Concat(sorted[shift:], sorted[:shift])
			for range 2 {
				text := strings.ReplaceAll("{"+strings.Join(turned, ", \n\t ")+"}", `"b"`, `"\u0062"`)
				if got, err := Transform([]byte(text)); err != nil || string(got) != want {
					t.Fatalf("%d members turned by %d: %s %v", n, shift, got, err)
				}
				slices.Reverse(turned)
			}
		}
	}
}
