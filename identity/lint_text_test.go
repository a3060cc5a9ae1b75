package identity_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

// textCodes are the codes of what lint says about a text as a name, and as a prompt.
func textCodes(t *testing.T, s string) (name, prose []string) {
	t.Helper()
	quoted, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range identity.Lint([]byte(strings.Replace(clean, `"m"`, string(quoted), 1))) {
		name = append(name, string(p.Code))
	}
	for _, p := range identity.Lint([]byte(strings.Replace(clean, `"hi"`, string(quoted), 1))) {
		prose = append(prose, string(p.Code))
	}
	return name, prose
}

// TestUnseen: a name that is not what it looks like is warned of; so is a prompt, but for what prose needs.
func TestUnseen(t *testing.T) {
	invisible, lookAlike := []string{"invisible"}, []string{"look-alike"}
	for s, want := range map[string][2][]string{ // as a name, as prose
		"ll\u200dama": {invisible, invisible}, "ll\u200cama": {invisible, invisible}, "ll\ufe0fama": {invisible, invisible}, "ll\u034fama": {invisible, invisible},
		"ll\u200bama": {invisible, invisible}, "ll\u2060ama": {invisible, invisible}, "ll\u00adama": {invisible, invisible}, "ll\U000e0061ama": {invisible, invisible},
		"ll\u3164ama": {invisible, invisible}, "ll\uffa0ama": {invisible, invisible}, "ll\u180eama": {invisible, invisible}, "ll\u17b4ama": {invisible, invisible},
		"ll\U000e0100ama": {invisible, invisible}, "ll\u2800ama": {invisible, invisible}, "ll\U0001d159ama": {invisible, invisible}, "ll\ufeffama": {invisible, invisible}, "ll\U000e0001ama": {invisible, invisible},
		"ll\u00a0ama": {invisible, invisible}, "ll\u2003ama": {invisible, invisible}, "ll\u3000ama": {invisible, nil}, "ll\u202fama": {invisible, invisible},
		"ll\x1b[2Jama": {invisible, invisible}, "ll\x00ama": {invisible, invisible}, "ll\x7fama": {invisible, invisible}, "ll\u0085ama": {invisible, invisible}, "ll\nama": {invisible, nil}, "ll\tama": {invisible, nil},
		"\uff4clama": {lookAlike, nil}, "ll\U0001d41ama": {lookAlike, nil}, "ll\u24d0ma": {lookAlike, nil}, "l\u217cama": {lookAlike, nil}, "ll\u0430ma": {lookAlike, nil}, "\u043e\u0441\u0430": {lookAlike, nil},
		"m\u200d\u200d": {invisible, invisible}, "👩\u200dx": {invisible, invisible}, "x\u200d💻": {invisible, invisible}, "💻\ufe0f\ufe0f": {invisible, invisible},
		"🏴\U000e0067\U000e0062": {invisible, invisible}, "x\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": {invisible, invisible},
		"🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\U000e0061": {invisible, invisible}, "a\u202eb": {[]string{"bidi"}, []string{"bidi"}},
	} {
		name, prose := textCodes(t, s)
		if !slices.Equal(name, want[0]) || !slices.Equal(prose, want[1]) {
			t.Errorf("%q: got %v and %v, want %v", s, name, prose, want)
		}
	}
	for s, want := range map[string][2][]string{
		"gpt\u20114": {lookAlike, nil}, "gpt\u20104": {lookAlike, nil}, "meta\u2215llama": {lookAlike, nil}, "a\ua789b": {lookAlike, nil}, "\u2c9fpen": {lookAlike, nil}, "\ua4d6PT": {lookAlike, nil},
		"ب\u200cllama": {invisible, nil}, "llama\u200dب": {invisible, invisible}, "क्\u200d\u200d": {invisible, invisible}, "क्\u200d\u200c\u200dक": {invisible, invisible}, "PDF\u200cها": {invisible, nil},
		"ภาษา\u200bไทย": {invisible, nil}, "ไทย\u200bx": {invisible, invisible}, "کتاب\u200c\u200cها": {invisible, invisible}, "כ\u034fת": {invisible, invisible}, "good\rbad": {invisible, invisible},
		"\u202eשלום": {[]string{"bidi"}, []string{"bidi"}}, "\u2067שלום\u2069": {[]string{"bidi"}, []string{"bidi"}}, "a\u200fb": {[]string{"bidi"}, []string{"bidi"}}, "שלום\u200f!": {[]string{"bidi"}, nil},
		"😀\U000e0168\U000e0169": {invisible, invisible}, "∩\ufe00\ufe01": {invisible, invisible}, "m\u00a0\u00a0n": {invisible, invisible},
	} {
		if name, prose := textCodes(t, s); !slices.Equal(name, want[0]) || !slices.Equal(prose, want[1]) {
			t.Errorf("%+q: got %v and %v, want %v", s, name, prose, want)
		}
	}
	for _, s := range []string{ // as scripts and emoji have it
		"👩\u200d💻", "👩🏽\u200d💻", "❤\ufe0f\u200d🔥", "🏳\ufe0f\u200d🌈", "1\ufe0f\u20e3", "☺\ufe0e", "©\ufe0f", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "🧔‍♂️",
		"می\u200cخواهم", "क्\u200dष", "ক্\u200cষ", "ශ්\u200dරී", "葛\U000e0100", "ᠠ\u180b", "日本語", "привет", "Ελλάδα", "résumé", "llama-3.1", "مرحبا", "한국어", "ไทย",
		"अर्\u200d", "क्\u200d, और", "അവന്\u200d വന്നു.", "ত্\u200d", "ක්\u200d", "సాఫ్ట్\u200c", "র\u200d্যাব", "गर्\u200dयो", "𑀓𑁆\u200d", // half letters and chillus at a word's end
		"۱۳۵۷ ه\u200d. ش.", "ه\u200d", "کتاب\u200cها", "ﷺ", "محـــمد", "ᠮᠣᠩᠭᠣᠯ\u202fᠤᠨ", "יְרוּשָׁלַ\u034fִם", "𓀀\U00013430𓀁", "™\ufe0f", "ℹ\ufe0f", "。\ufe01", "👁\ufe0f\u200d🗨\ufe0f", "🫱🏻\u200d🫲🏿", "⛓\ufe0f\u200d💥",
	} {
		if name, prose := textCodes(t, s); name != nil || prose != nil {
			t.Errorf("%q: got %v and %v", s, name, prose)
		}
	}
	for _, s := range []string{"Que faire\u00a0?", "«\u00a0oui\u00a0»", "10\u202f000\u00a0€", "日本語\u3000です", "line\r\n\tnext", "ＡＢＣ は全角", "x² + 𝑦 = ½",
		"PDF\u200cها", "10\u200cهزار", "«کتاب»\u200cها", "(ها)\u200cی", "نامه\u200c، ", "ភាសា\u200bខ្មែរ", "ภาษา\u200bไทย", "မြန်မာ\u200bစာ", "\u115f\u1161", "⠓⠑\u2800⠇⠇⠕", "\U0001d159\U0001d165", "שלום\u200f!", "مرحبا\u200eabc", "١٢\u061cم",
		"M.\u00a0Dupont", "Fig.\u00a03", "v\u00a0Praze", "a\u200a—\u200ab", "10\u00a0kg", "a‑b", "line\n",
	} {
		if _, prose := textCodes(t, s); prose != nil {
			t.Errorf("%q: got %v", s, prose)
		}
	}
	for _, s := range []string{`"\n"`, `"\n\n"`, `"x\n"`, `"x\r\n"`, `"a\tb"`, `["\n\nHuman:"]`, `"a\nb\n"`} { // stop sequences, and block scalars
		if problems := identity.Lint([]byte(strings.Replace(clean, `"seed":1`, `"seed":1,"stop":`+s, 1))); problems != nil {
			t.Errorf("%s: got %+v", s, problems)
		}
	}
	if problems := identity.Lint([]byte(strings.Replace(clean, `"seed":1`, `"seed":1,"effort":"h\uff49gh\n"`, 1))); len(problems) != 1 {
		t.Errorf("got %+v", problems)
	}
	// Names are wherever people compare by eye: in parameters, and members' names.
	for old, new := range map[string]string{`"seed":1`: `"seed":1,"reasoning":"h\uff49gh"`, `"maxTokens":10`: `"maxTokens":10,"top\u200dP":1`, `"context":[]`: `"context":[{"role":"tool","name":"s\u00a0h","content":1}]`} {
		if problems := identity.Lint([]byte(strings.Replace(clean, old, new, 1))); len(problems) != 1 {
			t.Errorf("%s: got %+v", new, problems)
		}
	}
}

// TestWordAtOnce: what is wrong with a word is one problem that names all of its letters.
func TestWordAtOnce(t *testing.T) {
	for s, want := range map[string][2]string{
		"\u0440\u0430ypal": {"the letters U+0440 and U+0430 look like pa and are not, in a word with ASCII letters", "write paypal, or the word in the letters of one script"},
		"Сара":             {"a word has only letters that look like Latin ones and are not", `check its letters, which read as Capa: "\u0421\u0430\u0440\u0430"`},
		"a\u200bb\u200cc":  {"U+200B and U+200C are not seen", "remove them"},
	} {
		problems := identity.Lint([]byte(strings.Replace(clean, `"m"`, `"`+s+`"`, 1)))
		if len(problems) != 1 || problems[0].Message != want[0] || problems[0].Hint != want[1] {
			t.Errorf("%+q: want %q, got %+v", s, want, problems)
		}
	}
}

// TestLooksLikeAnother: names with characters that say nothing, or that can be taken for other letters, are warned of; names in a
// language's own letters, and all prose, are not.
func TestLooksLikeAnother(t *testing.T) {
	invisible, lookAlike := []string{"invisible"}, []string{"look-alike"}
	for s, want := range map[string][]string{
		"ll\u2028ama": invisible, "ll\u2029ama": invisible, "ll\ufffcama": invisible, "ll\ufffdama": invisible, "ll\ue000ama": invisible, "ll\U000f0000ama": invisible,
		"llama-m\u0131n\u0131": lookAlike, "kap\u0131": lookAlike, "\u0261pt-4": lookAlike, "llam\u0251": lookAlike, "\u0237son": lookAlike, "m\u026astral": lookAlike, "\u1d0fpen": lookAlike, "a\u01c0b": lookAlike,
		"gpt-4\u043e": lookAlike, "\u043e1": lookAlike, "llama-\u0391": lookAlike, "claude \u0445": lookAlike,
		"gpt ": invisible, " gpt": invisible, "a  b": invisible, "gpt\u0378": invisible, "gpt\u20e3": invisible, "gp\u0338t": invisible,
		"gpt\u20134": lookAlike, "gpt\u27964": lookAlike, "\u0430\u0440\u0440\u04cf\u0435": lookAlike, "\ua4d6\ua4d1\ua4d4": lookAlike, "\u13c0\u13e2\u13a2": lookAlike,
		"l\u05dcama": lookAlike, "m\u10ffdel": lookAlike, "m\u0bb5del": lookAlike, "llama-3.\u0967": lookAlike, "v\u0661": lookAlike, "model2\u0967": lookAlike,
	} {
		if name, prose := textCodes(t, s); !slices.Equal(name, want) || prose != nil {
			t.Errorf("%+q: got %v and %v, want %v", s, name, prose, want)
		}
	}
	for _, s := range []string{
		"Türkçe kapı", "ılık şarap", "İstanbul ışıklar", "Azərbaycan dili", "Kɔnkɔmba", "Hausa ɓera ɗaki", "Eʋegbe", "नमस्ते दुनिया", "नमस्ते १२३", "مرحبا ١٢٣", "فارسی ۱۲۳", "中文模型 v2", "通义千问Qwen2", "日本語モデルABC",
		"한국어GPT", "модель о", "модель а1", "α-vae", "β-VAE", "ελληνικά", "Straße", "Ångström", "ไทย ๑๒", "বাংলা ১২", "ქართული", "ᏣᎳᎩ", "Հայերեն", "tiếng Việt", "Łódź", "Þórr", "ʻOkina", "µ-law",
		"ทีมAI", "kΩ", "CO₂", "R²", "χ²", "π₀", "Mª José", "nº 5", "№ 5", "Claude™", "第Ⅱ期", "①", "PDFफाइल", "הPDF", "كتابAI", "μTransfer", "5 μm", "ΔE", "TNFα", "模型（测试）", "ℓ2", "ℝ", "\U0001fae9",
	} {
		if name, prose := textCodes(t, s); name != nil || prose != nil {
			t.Errorf("%q: got %v and %v", s, name, prose)
		}
	}
}
