package cli

import (
	"bytes"
	"io"
	"testing"
)

// TestInfoLines: what another program writes is escaped line by line, and blank lines are left out.
func TestInfoLines(t *testing.T) {
	var to bytes.Buffer
	p := &Printer{Out: io.Discard, Err: &to}
	text := "touch the token\r\n\n\x1b[2Jagain"
	if n, err := p.InfoLines().Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if want := "touch the token\n\\u{1b}[2Jagain\n"; to.String() != want {
		t.Errorf("%q, want %q", &to, want)
	}
}
