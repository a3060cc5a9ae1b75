package canonical

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// White space of every length, the same everywhere or another in each place, so that what
// is expected comes, and does not, and the text ends at any distance.
func TestSpacing(t *testing.T) {
	tokens := strings.SplitAfter(`{|"a"|:|"x"|,|"bcdefghij"|:|{|"c"|:|[|1|,|-20|,|"`+strings.Repeat("y", 40)+`"|]|,|"d"|:|{|}|}|,|"z"|:|{|"e"|:|[|]|,|"f"|:|null|}|}`, "|")
	for i := range tokens {
		tokens[i] = strings.TrimSuffix(tokens[i], "|")
	}
	want := strings.Join(tokens, "")
	check := func(text string) {
		t.Helper()
		for _, before := range []string{"", "\n"} {
			if got, err := Transform([]byte(before + text)); err != nil || string(got) != want {
				t.Fatalf("%q\ngot  %s %v\nwant %s", text, got, err, want)
			}
		}
	}
	for n := range 40 {
		for _, first := range []string{" ", "\n", "\r\n", "\t"} {
			check(strings.Join(tokens, first+strings.Repeat(" ", n)))
			check(strings.Join(tokens, first+strings.Repeat("\t", n)))
		}
	}
	random := rand.New(rand.NewPCG(9, 10))
	for range 20_000 {
		var b strings.Builder
		for _, token := range tokens {
			b.WriteString(token)
			for range max(0, random.IntN(40)-20) {
				b.WriteByte(" \n\t\r"[random.IntN(4)])
			}
		}
		check(b.String())
	}
}

// Names and strings of every length around the sizes that are read and copied at once,
// with what ends or interrupts them at every place.
func TestLengths(t *testing.T) {
	for n := range 150 {
		plain := strings.Repeat("abcdefghij", 15)[:n]
		for _, tail := range []string{"", `\n`, "é", "éé" + plain + `\"`, `\\` + plain} {
			s := plain + tail
			for _, want := range []string{
				`"` + s + `"`, `["` + s + `"]`, `{"` + s + `":1}`, `{"A":"` + s + `"}`,
				`{"A":"` + s + `","B":{"` + s + `":["` + s + `","` + s + `"]}}`,
			} {
				for _, text := range []string{want, strings.NewReplacer(":", ": ", ",", ",\n  ").Replace(want)} {
					if got, err := Transform([]byte(text)); err != nil || string(got) != want {
						t.Fatalf("%s\ngot  %s %v", text, got, err)
					}
				}
			}
		}
	}
}

// Numbers that become longer than the whole text was.
func TestGrowth(t *testing.T) {
	for n := range 300 {
		text, want := "["+strings.Repeat("1e20, ", n)+"0]", "["+strings.Repeat("100000000000000000000,", n)+"0]"
		if got, err := Transform([]byte(text)); err != nil || string(got) != want {
			t.Fatalf("%d numbers: %s %v", n, got, err)
		}
	}
}

// Disordered objects of every size and place in one another.
func TestNestedDisorder(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	var build func(depth int) (text, form string)
	build = func(depth int) (text, form string) {
		n := random.IntN(5)
		switch kind := random.IntN(4); {
		case depth == 0 || kind == 0:
			s := `"` + strings.Repeat("v", random.IntN(70)) + `"`
			return s, s
		case kind == 1:
			var texts, forms []string
			for range n {
				x, y := build(depth - 1)
				texts, forms = append(texts, x), append(forms, y)
			}
			return "[ " + strings.Join(texts, ", ") + "]", "[" + strings.Join(forms, ",") + "]"
		}
		texts, forms := make([]string, n), make([]string, n)
		for i, k := range random.Perm(n) {
			x, y := build(depth - 1)
			name := `"` + string(rune('a'+k)) + `":`
			texts[i], forms[k] = name+x, name+y
		}
		return "{" + strings.Join(texts, ",\n") + "}", "{" + strings.Join(forms, ",") + "}"
	}
	for range 20_000 {
		text, want := build(1 + random.IntN(6))
		if got, err := Transform([]byte(text)); err != nil || string(got) != want {
			t.Fatalf("%s\ngot  %s %v\nwant %s", text, got, err, want)
		}
	}
}
