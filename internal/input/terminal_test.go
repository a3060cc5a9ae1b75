package input

import (
	"io"
	"testing"
)

// terminal gives a text, and its end each time that Ctrl-D is pressed.
type terminal struct {
	text string
	ends int
}

func (t *terminal) Read(p []byte) (int, error) {
	if t.text == "" {
		t.ends++
		return 0, io.EOF
	}
	n := copy(p, t.text)
	t.text = t.text[n:]
	return n, nil
}

// TestOneEnd: who types a declaration or a bundle ends it once.
func TestOneEnd(t *testing.T) {
	for _, text := range []string{"", "{}", "{}\n", "{}\n{}\n", "{}\n{}", "a: b\n", "a", "{\n}\n"} {
		typed := &terminal{text: text}
		for range Declarations(Stdin, typed) {
		}
		if typed.ends != 1 {
			t.Errorf("declarations in %q: ended %d times, want once", text, typed.ends)
		}
		typed = &terminal{text: text}
		for range Bundles(Stdin, typed) {
		}
		if typed.ends != 1 {
			t.Errorf("bundles in %q: ended %d times, want once", text, typed.ends)
		}
	}
}
