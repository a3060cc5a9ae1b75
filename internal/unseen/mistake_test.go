package unseen

import (
	"strings"
	"testing"
)

func TestMistakeIn(t *testing.T) {
	for s, want := range map[string]string{
		"gpt-4": "", "модель": "", "Иван Smith": "", "千问-7B": "", "ёж": "", "Сара (HR)": "", "vitamin-α": "", "kapı": "", "5 µm": "", "👩‍💻": "",
		"\u0435vil":         "0 U+0435 stands in a word with letters of another script",
		"gpt-4\u043e":       "5 U+043E stands in a word",
		"а b а":             "0 U+0430",
		"я а b":             "",
		"gpt\u20104":        "3 U+2010 looks like -",
		"gpt\u20144":        "3 U+2014 looks like -",
		"gpt\u30fc4":        "3 U+30FC looks like -",
		"サーバー":              "",
		"1\u0664":           "1 U+0664 is a digit of another script",
		"a e\u0301":         "3 U+0301 is not in Unicode form NFC",
		"e\u0301":           "1 U+0301 is not in Unicode form NFC",
		"\u212b":            "0 U+212B is not in Unicode form NFC",
		"\U0001d41apt":      "0 U+1D41A looks like a",
		"a\u0378":           "1 U+0378 is not a character",
		"a\u2028b":          "1 U+2028 is a line break",
		"model \u0441hecks": "6 U+0441 stands in a word",
	} {
		m, ok := MistakeIn(s)
		got := ""
		if ok {
			got = strings.TrimSpace(strings.Join([]string{string(rune('0' + m.At)), m.What}, " "))
		}
		if want == "" && ok || !strings.HasPrefix(got, want) {
			t.Errorf("%+q: want %q, got %q", s, want, got)
		}
	}
}

// TestSkeleton: what looks the same has one skeleton, and what does not has several.
func TestSkeleton(t *testing.T) {
	for _, same := range [][]string{
		{"alice", "\u0430lice", "a1ice", "aIice"}, {"bob-2", "bob\u20112"}, {"mark", "rnark"}, {"CEO", "\u0421\u0415\u041e", "CE0"},
		{"gpt", "\uff47\uff50\uff54"}, {"Zo\u00eb", "Zoe\u0308"},
	} {
		for _, s := range same[1:] {
			if Skeleton(s) != Skeleton(same[0]) {
				t.Errorf("%+q and %+q: %+q, %+q", same[0], s, Skeleton(same[0]), Skeleton(s))
			}
		}
	}
	for _, other := range [][2]string{{"alice", "Alice"}, {"bob", "rob"}, {"Иван", "Ivan"}, {"ops", "ops2"}} {
		if Skeleton(other[0]) == Skeleton(other[1]) {
			t.Errorf("%q and %q have one skeleton", other[0], other[1])
		}
	}
}
