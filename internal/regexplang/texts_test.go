package regexplang

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/runattest/runattest/internal/limits"
)

// TestAnyCase: a class has its letters in each case, however it is written, as regexp/syntax has them where no class is negated.
func TestAnyCase(t *testing.T) {
	for _, class := range []string{`[a-f]`, `[K]`, `[\x{212A}]`, `[sx-z]`, `[A-Z_0-9]`, `[а-я]`, `\p{Greek}`, `[ßa]`, `[\x{100}-\x{24F}]`, `[^\x00-\x{10FFFF}]`, `\pL`, `.`} {
		folded, err := AnyCase(class)
		if err != nil {
			t.Fatal(err)
		}
		got, want := regexp.MustCompile(`\A`+folded+`\z`), regexp.MustCompile(`(?i)\A`+class+`\z`)
		for r := range rune(0x2200) {
			if got.MatchString(string(r)) != want.MatchString(string(r)) {
				t.Errorf("%s, as %s: %q is %v", class, folded, r, got.MatchString(string(r)))
			}
		}
	}
	negated := regexp.MustCompile(`\A` + must(AnyCase(`[^a-y]`)) + `\z`)
	for r := rune('A'); r <= 'z'; r++ { // each capital is there, and so the letters are
		if !negated.MatchString(string(r)) {
			t.Errorf("%q is not there", r)
		}
	}
	if must(AnyCase(`(?-i:Ab)c`)) != must(AnyCase(`Abc`)) && !regexp.MustCompile(must(AnyCase(`(?-i:Ab)c`))).MatchString("aBC") {
		t.Error("(?-i)")
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

// TestTexts: no text that is matched is missing among those that are told, in one case.
func TestTexts(t *testing.T) {
	for expr, want := range map[string][]string{
		`a`: {"a"}, `(ada|bob)@x`: {"ada@x", "bob@x"}, `ab?c`: {"abc", "ac"}, `[a-c]x`: {"ax", "bx", "cx"}, `(a|b){1,2}`: {"a", "aa", "ab", "b", "ba", "bb"},
		`a{0,2}`: {"", "a", "aa"}, `(?i)a`: {"A"}, `^a$`: {"a"}, `\Qa.b\E`: {"a.b"}, `()`: {""}, `[^\x00-\x{10FFFF}]`: nil, `(?:a|b)(?:c|)`: {"a", "ac", "b", "bc"},
	} {
		got, anyCase, ok := Texts(expr, 10)
		slices.Sort(got)
		if !ok || anyCase != (expr == `(?i)a`) || !slices.Equal(slices.Compact(got), want) {
			t.Errorf("%s: %q, %v, want %q", expr, got, ok, want)
		}
	}
	for _, expr := range []string{`a*`, `a+`, `.`, `[a-z]`, `(a|b){4}`, `a{2,}`, `a(`, `((a|b)(a|b)){2}`, `(` + strings.Repeat("a", 50) + `){100}`} {
		if got, _, ok := Texts(expr, 10); ok {
			t.Errorf("%s: %q", expr, got)
		}
	}
}

// TestMatchesPart: a pattern is held against texts of which each place is known.
func TestMatchesPart(t *testing.T) {
	places := append(strings.Split("id:", ""), slices.Repeat([]string{"0123456789abcdef"}, 4)...)
	for expr, want := range map[string]bool{
		`^id:`: true, `^sha`: false, `[0-9a-f]{4}$`: true, `[0-9a-f]{5}`: false, `^.{7}$`: true, `^.{8}`: false, `\bid\b`: true, `d\b0`: false, `:\b0`: true, `(?i)ID`: true,
		`x|^id`: true, `g`: false, `$.`: false, ``: true, `a(`: true, `(a|b|c)(1|2)$`: true, `(?m)^0`: false, `0.*1.*2.*3`: true, `0.*1.*2.*3.*4`: false, `[^0-9a-f:]{3}`: false,
	} {
		left := limits.RegexParts
		if got := MatchesPart(expr, places, &left); got != want {
			t.Errorf("%s: %v", expr, got)
		}
	}
}

// TestLimitsOfParts: where it is not looked whether a pattern matches, it may.
func TestLimitsOfParts(t *testing.T) {
	places := slices.Repeat([]string{"0123456789abcdef"}, 128)
	left := limits.RegexParts
	for range 100 { // which would be some 10^9 steps
		if got := MatchesPart(strings.Repeat(`(?:[0-9a-f]?){1000}`, 2)+`0$`, places, &left); !got {
			t.Fatal("it matches")
		}
	}
	if left >= 0 || !MatchesPart(`g`, places, &left) {
		t.Errorf("%d steps are left", left)
	}
	if _, err := AnyCase(strings.Repeat(`\pL`, 100)); err == nil {
		t.Error("an expression of more ranges than are looked at")
	}
}

// TestHasEmptyAlternative: of an expression that matches a part of a text.
func TestHasEmptyAlternative(t *testing.T) {
	for expr, want := range map[string]bool{
		`a|`: true, `(a|)`: true, `^a|`: true, `^(a|b|)`: true, `^(|a)`: true, `\A(?:a|)`: true, `^a|^`: true, `(^a|)|^b`: true, `(a|)$`: true, `a|$`: true, `^(a|^)`: true,
		`a|b`: false, `^(a|)$`: false, `^(a|$)`: false, `(a|^)$`: false, `x(a|)`: false, `(a|)x`: false, `a?`: false, ``: false, `^`: false, `(`: false,
	} {
		if got := HasEmptyAlternative(expr); got != want {
			t.Errorf("%s: %v", expr, got)
		}
	}
}

// FuzzAnyCase: what an expression matches is matched in any case, and in another one.
func FuzzAnyCase(f *testing.F) {
	for _, seed := range [][2]string{{`Ada\.[A-Z]+`, "Ada.LOVELACE"}, {`(?-i)K|[^k]x`, "K"}, {`\pL+@x`, "é@x"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
		if _, bad := regexp.Compile(expr); err != nil || bad != nil || len(expr) > 100 || !re.MatchString(text) {
			return
		}
		folded, err := AnyCase(expr)
		if err != nil {
			t.Fatal(err)
		}
		any, err := regexp.Compile(`\A(?:` + folded + `)\z`)
		if err != nil {
			t.Skip() // too large
		}
		other := strings.Map(func(r rune) rune { return unicode.SimpleFold(r) }, text)
		if hasBoundary := strings.Contains(expr, `\b`) || strings.Contains(expr, `\B`); !any.MatchString(text) || !hasBoundary && !any.MatchString(other) {
			t.Errorf("%q matches %q, and %q does not match it, or %q", expr, text, folded, other)
		}
		equal := func(one string) bool { return one == text }
		texts, anyCase, ok := Texts(expr, 100)
		if anyCase {
			equal = func(one string) bool { return strings.EqualFold(one, text) }
		}
		if ok && !slices.ContainsFunc(texts, equal) {
			t.Errorf("%q matches %q, which is not among %q", expr, text, texts)
		}
	})
}
