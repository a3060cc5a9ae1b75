package input

import (
	"io"
	"slices"
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

// piecemeal gives a text a piece at a time, and counts the pieces.
type piecemeal struct {
	pieces []string
	given  int
}

func (p *piecemeal) Read(into []byte) (int, error) {
	if p.given == len(p.pieces) {
		return 0, io.EOF
	}
	p.given++
	return copy(into, p.pieces[p.given-1]), nil
}

// TestLineByLine: each of several documents is given when its line is there, the first once there is something of the second,
// and not at the end of the stream.
func TestLineByLine(t *testing.T) {
	for _, first := range [][]string{{"{}\n"}, {" ", "{}\n"}, {"{", "}\n"}} {
		declarations := func(in io.Reader, given func()) {
			for range Declarations(Stdin, in) {
				given()
			}
		}
		bundles := func(in io.Reader, given func()) {
			for range Bundles(Stdin, in) {
				given()
			}
		}
		requests := func(in io.Reader, given func()) {
			for range Requests(Stdin, in) {
				given()
			}
		}
		for name, read := range map[string]func(io.Reader, func()){"declarations": declarations, "bundles": bundles, "requests": requests} {
			p, n := &piecemeal{pieces: slices.Concat(first, []string{"{}\n", "{}\n", "{}\n"})}, 0
			read(p, func() {
				if n++; p.given > len(first)+max(1, n-1) {
					t.Errorf("%s beginning %q: document %d came after %d pieces", name, first, n, p.given)
				}
			})
			if n != 4 {
				t.Errorf("%s beginning %q: %d documents", name, first, n)
			}
		}
	}
}
