package capture

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAppendEscaped compares with a replacement of each character: texts of all lengths up to some words, with what is escaped
// in all places, next to bytes that differ from it in one bit, and behind what there is already.
func TestAppendEscaped(t *testing.T) {
	replacer := strings.NewReplacer(`"`, `\"`, `\`, `\\`)
	random := rand.New(rand.NewPCG(1, 2))
	check := func(text string) {
		t.Helper()
		for _, before := range []string{"", "before"} {
			if got, want := string(appendEscaped([]byte(before), []byte(text))), before+replacer.Replace(text); got != want {
				t.Fatalf("%q is %q, want %q", text, got, want)
			}
		}
	}
	for c := range 256 {
		for size := range 20 {
			for at := range size {
				text := bytes.Repeat([]byte("x"), size)
				text[at] = byte(c)
				check(string(text))
			}
		}
	}
	const some = "\"\\\"\\#\x23\xa2\xdc]\x5d\x00\xff\x21\x5bab"
	for range 20_000 {
		text := make([]byte, random.IntN(40))
		for i := range text {
			text[i] = some[random.IntN(len(some))]
		}
		check(string(text))
	}
	check(strings.Repeat(`"\`, 1<<16))
	check(strings.Repeat("x", 1<<17))
}
