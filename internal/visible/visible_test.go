package visible

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/runattest/runattest/internal/limits"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本 🙂":         "plain é 日本 🙂",
		"a\nb\x1b[2J\x7f":      `a\u{a}b\u{1b}[2J\u{7f}`,
		"\u009b\u202e\u200b":   `\u{9b}\u{202e}\u{200b}`,
		"a\x9b31m \ufffd":      "a\\x9b31m \ufffd",
		"\U000e0001":           `\u{e0001}`,
		"a\u034fb\ufe0f\u3164": `a\u{34f}b\u{fe0f}\u{3164}`,
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestJSON: every character survives, and every one that is printed is seen.
func TestJSON(t *testing.T) {
	var all strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r < 0xd800 || r > 0xdfff {
			all.WriteRune(r)
		}
	}
	value := map[string]string{all.String(): all.String()}
	text, err := JSON(value)
	if err != nil {
		t.Fatal(err)
	}
	if strings.IndexFunc(string(text), isUnseen) >= 0 {
		t.Error("something in it is unseen")
	}
	var back map[string]string
	if err := json.Unmarshal(text, &back); err != nil || back[all.String()] != all.String() {
		t.Errorf("another value comes back: %v", err)
	}
	if _, err := JSON(func() {}); err == nil {
		t.Error("a function has no JSON")
	}
}

func TestList(t *testing.T) {
	letters := strings.Split("abcdefghijkl", "")
	for got, want := range map[string]string{
		List(nil):         "",
		List(letters[:2]): "a, b",
		List(letters):     "a, b, c, d, e, f, g, h, i, j, and 2 more",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCut(t *testing.T) {
	short := strings.Repeat("a", limits.Shown)
	if got := Cut(short); got != short {
		t.Errorf("%d bytes of %d", len(got), len(short))
	}
	got := Cut("mediaType is " + strings.Repeat("\u00e9", 1<<20) + ", want another")
	if len(got) > limits.Shown+40 || !utf8.ValidString(got) || !strings.HasPrefix(got, "mediaType is \u00e9") || !strings.HasSuffix(got, ", want another") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
