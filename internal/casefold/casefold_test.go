package casefold

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestString(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Stop", "sTOP", true},
		{"ſtop", "stop", true},        // U+017F
		{"\u212aey", "key", true},     // the Kelvin sign
		{"ẞ", "ß", true},              // status S, where the full folding is ss
		{"ᾈ", "ᾀ", true},              // status S
		{"Σ", "ς", true},              // status C
		{"ß", "ss", false},            // status F
		{"İ", "i", false},             // status T
		{"İ", "i\u0307", false},       // status F
		{"\ufb05", "\ufb06", false},   // status S since Unicode 15.1
		{"e\u0301", "\u00e9", false},  // not normalised
		{"api-key", "api_key", false}, // another character
	} {
		if same := String(c.a) == String(c.b); same != c.same {
			t.Errorf("%q and %q are the same without case: %t, want %t", c.a, c.b, same, c.same)
		}
	}
}

// TestVersion holds the tables of this Go against the version of Unicode that docs/spec/capture/README.md names. Names that
// a newer one takes for the same are refused by it alone: a new version is a change to the formats.
func TestVersion(t *testing.T) {
	classes := map[string]bool{}
	for r := range utf8.MaxRune + 1 {
		if f := String(string(r)); f != string(r) && utf8.ValidRune(r) {
			classes[f] = true
		}
	}
	if len(classes) != 1424 {
		t.Errorf("%d sets of characters that differ in case alone in Unicode %s, want the 1424 of Unicode 15.0", len(classes), unicode.Version)
	}
}
