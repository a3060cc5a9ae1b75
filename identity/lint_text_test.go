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
		"ll\U000e0100ama": {invisible, invisible}, "ll\u2800ama": {invisible, invisible}, "ll\ufeffama": {invisible, invisible}, "ll\U000e0001ama": {invisible, invisible},
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
	for _, s := range []string{ // as scripts and emoji have it
		"👩\u200d💻", "👩🏽\u200d💻", "❤\ufe0f\u200d🔥", "🏳\ufe0f\u200d🌈", "1\ufe0f\u20e3", "☺\ufe0e", "©\ufe0f", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "🧔‍♂️",
		"می\u200cخواهم", "क्\u200dष", "ক্\u200cষ", "ශ්\u200dරී", "葛\U000e0100", "ᠠ\u180b", "日本語", "привет", "Ελλάδα", "résumé", "llama-3.1", "مرحبا", "한국어", "ไทย",
	} {
		if name, prose := textCodes(t, s); name != nil || prose != nil {
			t.Errorf("%q: got %v and %v", s, name, prose)
		}
	}
	for _, s := range []string{"Que faire\u00a0?", "«\u00a0oui\u00a0»", "10\u202f000\u00a0€", "日本語\u3000です", "line\r\n\tnext", "ＡＢＣ は全角", "x² + 𝑦 = ½"} {
		if _, prose := textCodes(t, s); prose != nil {
			t.Errorf("%q: got %v", s, prose)
		}
	}
	// Names are wherever people compare by eye: in parameters, and members' names.
	for old, new := range map[string]string{`"seed":1`: `"seed":1,"reasoning":"h\uff49gh"`, `"maxTokens":10`: `"maxTokens":10,"top\u200dP":1`, `"context":[]`: `"context":[{"role":"tool","name":"s\u00a0h","content":1}]`} {
		if problems := identity.Lint([]byte(strings.Replace(clean, old, new, 1))); len(problems) != 1 {
			t.Errorf("%s: got %+v", new, problems)
		}
	}
}
