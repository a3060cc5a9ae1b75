package regexplang

import (
	"regexp"
	"regexp/syntax"
	"testing"
)

// TestEmpty: an expression is empty if there is no text with a character that it matches whole, and nowhere if it matches no part of
// any text.
func TestEmpty(t *testing.T) {
	for expr, want := range map[string]struct{ empty, nowhere bool }{
		`a^b`:                    {true, true},
		`$a`:                     {true, true},
		`^a$b`:                   {true, true},
		`a\Ab`:                   {true, true},
		`[^\x00-\x{10FFFF}]`:     {true, true},
		`a\bb`:                   {true, true},
		`-\b-`:                   {true, true},
		`(a^b|$c)+d`:             {true, true},
		`x(?m:^)y`:               {true, true},
		`x(?m:^y)`:               {true, true},
		`x.(?m:^y)`:              {true, true},
		`x(?s:.)(?m:^y)`:         {false, false},
		`(?m)a$\n^b`:             {false, false},
		`^a$`:                    {false, false},
		`^^a|b$$`:                {false, false},
		`(a^b|c)`:                {false, false},
		`(a^b)*`:                 {true, false},
		``:                       {true, false},
		`$^`:                     {true, false},
		`\b`:                     {true, false},
		`\B`:                     {true, false},
		`a\b`:                    {false, false},
		`a\B`:                    {true, false},
		`\b\w+@acme[.]example\b`: {false, false},
		`é\bé`:                   {true, true},
		`é\Bé`:                   {false, false},
		`(?i)k\Bx`:               {false, false},
		`(?i)k\b\x{212A}`:        {false, false},
		`[^a]\b[^-]`:             {false, false},
		`a(`:                     {false, false},
		`a{1000}`:                {false, false},
		`()`:                     {true, false},
		`x{0}`:                   {true, false},
		`(?m:^)`:                 {true, false},
		`(?m)^\n|$`:              {false, false},
		`(|a^b)*`:                {true, false},
		`.*`:                     {false, false},
	} {
		if got := IsEmpty(expr); got != want.empty {
			t.Errorf("IsEmpty(%q) is %v", expr, got)
		}
		if got := IsNowhere(expr); got != want.nowhere {
			t.Errorf("IsNowhere(%q) is %v", expr, got)
		}
	}
}

// FuzzEmpty: what is said to match no text with a character, or no part of one, does not.
func FuzzEmpty(f *testing.F) {
	for _, seed := range [][2]string{{`a^b`, "ab"}, {`(?i)k\b-`, "K-"}, {`a\b|é`, "é"}, {`[^\n]$`, "a"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		if len(expr) > 100 {
			return
		}
		re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
		if err != nil {
			return
		}
		if _, err := regexp.Compile(expr); err == nil && IsEmpty(expr) && text != "" && re.MatchString(text) {
			t.Errorf("%q matches %q", expr, text)
		}
		if parsed, err := syntax.Parse(expr, syntax.Perl); err == nil && isPlain(parsed, true) && isEmpty(`(?s:.*)(?:`+expr+`)(?s:.*)`, search{}) {
			t.Errorf("%q is plain, and matches no part of any text", expr)
		}
		if part, err := regexp.Compile(expr); err == nil && IsNowhere(expr) && part.MatchString(text) {
			t.Errorf("%q matches a part of %q", expr, text)
		}
	})
}
