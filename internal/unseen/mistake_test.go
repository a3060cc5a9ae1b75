package unseen

import (
	"strings"
	"testing"
)

func TestMistakeIn(t *testing.T) {
	for s, want := range map[string]string{
		"gpt-4": "", "модель": "", "Иван Smith": "", "千问-7B": "", "ёж": "", "Сара (HR)": "", "vitamin-α": "", "kapı": "", "5 µm": "", "👩‍💻": "",
		"\u0435vil":          "0 U+0435 looks like e and is not, in a word with ASCII letters",
		"gpt-4\u043e":        "5 U+043E looks like o and is not, in a word with ASCII digits",
		"а b а":              "",
		"я а b":              "",
		"gpt\u20104":         "3 U+2010 looks like -",
		"gpt\u20144":         "3 U+2014 looks like -",
		"gpt\u30fc4":         "3 U+30FC looks like -",
		"サーバー":               "",
		"1\u0664":            "1 U+0664 stands in a number with digits of another script",
		"a e\u0301":          "3 U+0301 is not in Unicode form NFC",
		"e\u0301":            "1 U+0301 is not in Unicode form NFC",
		"\u212b":             "0 U+212B is not in Unicode form NFC",
		"\U0001d41apt":       "0 U+1D41A looks like a",
		"a\u0378":            "1 U+0378 is not a character",
		"a\u2028b":           "1 U+2028 is a line break",
		"\uff27\uff30\uff34": "0 U+FF27 looks like G",
		"gpt-\uff14":         "4 U+FF14 looks like 4",
		"gpt\uff0d4":         "3 U+FF0D looks like -",
		"ChatG\uff30T":       "5 U+FF30 looks like P",
		"\ufb01ne":           "0 U+FB01 looks like fi",
		"e\u2174il":          "1 U+2174 looks like v",
		"p\u03b1ypal":        "1 U+03B1 looks like a",
		"openai/\u043e1":     "7 U+043E looks like o",
		"model \u0441hecks":  "6 U+0441 looks like c",
		"Gro\u043a":          "3 U+043A is a letter of another script, in a word with ASCII letters",
		"\u043aimi-k2":       "0 U+043A is a letter of another script",
		"PDF-файл":           "", "μTransfer": "", "5 kΩ": "", "ทีมAI": "",
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
		{"alice", "\u0430lice", "a1ice", "aIice"}, {"bob-2", "bob\u20112"}, {"CEO", "\u0421\u0415\u041e", "CE0"},
		{"gpt", "\uff47\uff50\uff54"}, {"Mark", "Mar\u043a"}, {"qwen", "q\u03c9en"}, {"Zo\u00eb", "Zoe\u0308"},
	} {
		for _, s := range same[1:] {
			if Skeleton(s) != Skeleton(same[0]) {
				t.Errorf("%+q and %+q: %+q, %+q", same[0], s, Skeleton(same[0]), Skeleton(s))
			}
		}
	}
	for _, other := range [][2]string{{"alice", "Alice"}, {"bob", "rob"}, {"Иван", "Ivan"}, {"ops", "ops2"}, {"Arno", "Amo"}, {"R²", "R2"}} {
		if Skeleton(other[0]) == Skeleton(other[1]) {
			t.Errorf("%q and %q have one skeleton", other[0], other[1])
		}
	}
}

// TestOrdinary: what people write in other languages and of other things is taken, and most of it says nothing.
func TestOrdinary(t *testing.T) {
	for s, warning := range map[string]string{
		"模型（测试）": "", "注意：": "", "50％": "", "Ｑ＆Ａ": "U+FF31 looks like Q", "CO₂": "", "R²": "", "χ²": "", "π₀": "", "Mª José": "", "nº 5": "", "№ 5": "",
		"Claude™": "", "请稍候…": "", "第Ⅱ期": "", "①": "", "ĳs": "", "Ａ社": "U+FF21 looks like A", "ＮＴＴデータ": "U+FF2E looks like N", "C\u03b3pher": "a Greek letter stands", "１０月のGPT": "U+FF11 looks like 1", "ℓ2": "", "ℝ": "",
		"ทีมAI": "", "PDFफाइल": "", "הPDF": "", "كتابAI": "", "μTransfer": "", "5 μm": "", "kΩ": "", "ΔE": "", "TNFα": "", "HIF1α": "", "GPT४": "U+096A is not one of the digits 0 to 9",
		"GPT і Claude": "a word has only letters that look like Latin ones", "Claude с RAG": "a word has only", "ν-SVM": "a word has only", "GPT-а": "a word has only",
		"山田　太郎": "", "αиο": "",
		"\u0456ж\u03bf": "a word mixes letters of scripts",
	} {
		if m, ok := MistakeIn(s); ok {
			t.Errorf("%s: %+v", s, m)
		}
		if _, what := SuspectIn(s); warning == "" && what != "" || !strings.HasPrefix(what, warning) {
			t.Errorf("%s: want warning %q, got %q", s, warning, what)
		}
	}
	if RoughSkeleton("mark") != RoughSkeleton("rnark") {
		t.Error("mark and rnark differ")
	}
}
