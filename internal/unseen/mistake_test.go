package unseen

import (
	"strings"
	"testing"
)

// certainIn is the first certain mistake in a name.
func certainIn(s string) (Finding, bool) {
	for _, f := range Mistakes(s) {
		if f.IsCertain() {
			return f, true
		}
	}
	return Finding{}, false
}

// suspectsIn are what may be meant in a name.
func suspectsIn(s string) (all []string) {
	for _, f := range Mistakes(s) {
		if !f.IsCertain() {
			all = append(all, f.What)
		}
	}
	return all
}

func TestMistakes(t *testing.T) {
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
		"\uff27\uff30\uff34": "0 U+FF27, U+FF30 and U+FF34 look like GPT",
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
		got := ""
		if m, ok := certainIn(s); ok {
			got = strings.TrimSpace(strings.Join([]string{string(rune('0' + m.At)), m.What}, " "))
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
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
		"模型（测试）": "", "注意：": "", "50％": "", "CO₂": "", "R²": "", "χ²": "", "π₀": "", "Mª José": "", "nº 5": "", "№ 5": "",
		"Claude™": "", "请稍候…": "", "第Ⅱ期": "", "①": "", "ĳs": "", "Ａ社": "U+FF21 looks like A", "ＮＴＴデータ": "U+FF2E and U+FF34 look like NT", "C\u03b3pher": "a Greek letter stands", "１０月のGPT": "U+FF11 and U+FF10 look like 10", "ℓ2": "", "ℝ": "",
		"ทีมAI": "", "PDFफाइल": "", "הPDF": "", "كتابAI": "", "μTransfer": "", "5 μm": "", "kΩ": "", "ΔE": "", "TNFα": "", "HIF1α": "", "GPT४": "U+096A is not one of the digits 0 to 9",
		"GPT і Claude": "a word has only letters that look like Latin ones", "Claude с RAG": "a word has only", "ν-SVM": "a word has only", "GPT-а": "a word has only",
		"山田　太郎": "", "αиο": "",
		"\u0456ж\u03bf": "a word mixes letters of scripts",
	} {
		if m, ok := certainIn(s); ok {
			t.Errorf("%s: %+v", s, m)
		}
		if all := suspectsIn(s); warning == "" && all != nil || warning != "" && (len(all) != 1 || !strings.HasPrefix(all[0], warning)) {
			t.Errorf("%s: want warning %q, got %q", s, warning, all)
		}
	}
	if m, ok := certainIn("Ｑ＆Ａ"); ok || len(suspectsIn("Ｑ＆Ａ")) != 2 {
		t.Errorf("%+v", m)
	}
	if RoughSkeleton("mark") != RoughSkeleton("rnark") {
		t.Error("mark and rnark differ")
	}
}

// TestReasons: what is said of a word names all of its letters and is true, and the word that it says to write is taken.
func TestReasons(t *testing.T) {
	for s, want := range map[string][2]string{
		"PDFфайл":            {"the letters файл are of another script, in a word with ASCII letters", "write the word in the letters of one script, or part it, as PDF-файл"},
		"файлPDF":            {"the letters файл are of another script, in a word with ASCII letters", "write the word in the letters of one script, or part it, as файл-PDF"},
		"модеl":              {"the letters моде are of another script, in a word with ASCII letters", "write the word in the letters of one script"},
		"κB":                 {"U+03BA can be taken for k, in a word with ASCII letters", "write k, or the word in the letters of one script, or part it, as κ-B"},
		"Gro\u043a":          {"U+043A is a letter of another script, in a word with ASCII letters", "write Grok, or the word in the letters of one script"},
		"p\u0430yp\u0430l":   {"U+0430 looks like a and is not, in a word with ASCII letters", "write a, or the word in the letters of one script"},
		"\u0440\u0430ypal":   {"the letters U+0440 and U+0430 look like pa and are not, in a word with ASCII letters", "write paypal, or the word in the letters of one script"},
		"Сара":               {"a word has only letters that look like Latin ones and are not", "check its letters, which read as Capa"},
		"модель аррӏе":       {"a word has only letters that look like Latin ones and are not", "check its letters, which read as apple"},
		"l\u05dcama":         {"letters of another script stand between ASCII letters", "check its letters"},
		"ll\u24d0ma":         {"U+24D0 looks like a", "write a"},
		"a\u200bb\u200cc":    {"U+200B and U+200C are not seen", "remove them"},
		"a\u00a0b\u2003c":    {"U+00A0 and U+2003 look like blanks", "write a blank, U+0020"},
		"a\ac":               {"U+0007 is a control character", "remove it"},
		"\uff27\uff30\uff34": {"U+FF27, U+FF30 and U+FF34 look like GPT", "write GPT"},
	} {
		all := In(s, true)
		if len(all) != 1 || all[0].What != want[0] || all[0].Fix != want[1] {
			t.Errorf("%+q: want %q, got %+v", s, want, all)
		}
	}
	if all := In("модель аррӏе", true); all[0].At != len("модель ") || all[0].Chars != "аррӏе" {
		t.Errorf("got %+v", all)
	}
	for _, s := range []string{"PDF-файл", "файл-PDF", "κ-B", "Grok", "paypal", "GPT"} {
		if m, ok := certainIn(s); ok {
			t.Errorf("%s: %+v", s, m)
		}
	}
	if all := In("\u0435vil gpt\u20104 \u0430\u0441", true); len(all) != 3 { // each word at once
		t.Errorf("got %+v", all)
	}
}

// TestNewEmoji: characters in the blocks of emoji that only a newer Unicode has are ones.
func TestNewEmoji(t *testing.T) {
	for _, s := range []string{"\U0001fae9", "on call \U0001fac8", "\U0001f6d8"} {
		if all := In(s, true); all != nil {
			t.Errorf("%+q: %+v", s, all)
		}
	}
	if _, ok := certainIn("a\u0378"); !ok {
		t.Error("U+0378 is taken")
	}
}

// TestLongName: what is said of a name is bounded, and a long one is read once.
func TestLongName(t *testing.T) {
	for _, s := range []string{strings.Repeat("\u0435vil ", 50_000), strings.Repeat("Сара ", 50_000), strings.Repeat("\uff27", 50_000), strings.Repeat("l\u05dcl.", 50_000), strings.Repeat("a\u200b", 50_000)} {
		if n := len(In(s, true)); n == 0 || n > 3*mostWords {
			t.Errorf("%.12q...: %d findings", s, n)
		}
	}
}

// TestSuspects: what may be meant, and reads as something else beside ASCII letters.
func TestSuspects(t *testing.T) {
	for s, want := range map[string]string{
		"\u03f2laude": "U+03F2 can be taken for c", "\u03c9qwen": "a Greek letter stands", "modelן": "U+05DF can be taken for l", "gpt\uff0f4": "U+FF0F looks like /", "mistral\u2024large": "U+2024 looks like .", "\u2102laude": "U+2102 looks like C", "\u216clama": "U+216C looks like L",
		"gp\u2113t": "U+2113 looks like l", "\U00010420laude": "letters of a script that few people write", "\u2d54penai": "letters of a script that few people write", "a\u02e1b": "U+02E1 looks like l",
	} {
		if _, ok := certainIn(s); ok || len(suspectsIn(s)) != 1 || !strings.HasPrefix(suspectsIn(s)[0], want) {
			t.Errorf("%+q: want %q, got %+v", s, want, In(s, true))
		}
	}
	for _, s := range []string{"ℓ2", "ℝ", "第Ⅱ期", "וPDF", "βcarotene", "μm", "GPT（4）", "注：GPT", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "x²", "Claude™", "Łódź"} {
		if all := In(s, true); all != nil {
			t.Errorf("%s: %+v", s, all)
		}
	}
}
