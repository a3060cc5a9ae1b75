// Package terminal shows counts and colours to a person at a terminal, and asks for passwords. Where output is not a
// terminal it prints nothing of that, so that logs and pipes get plain lines.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"golang.org/x/term"
)

// Is tells whether v, an input or an output, is a terminal. What wraps one has its method Fd.
func Is(v any) bool {
	f, ok := v.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// Announce returns in; if that is a terminal, it says so to out before it reads from it first, since a program that only waits
// looks as if it did not. A line that the terminal may have cut is an error.
func Announce(in io.Reader, out io.Writer) io.Reader {
	if f, ok := in.(*os.File); ok && Is(f) {
		return &announced{File: f, out: out, typed: lines{most: longestLine(runtime.GOOS)}}
	}
	return in
}

type announced struct {
	*os.File
	out   io.Writer
	said  sync.Once
	typed lines
}

// lines are counted as they are read, and must have fewer than most bytes each, or any number if that is 0.
type lines struct{ most, now int }

// longestLine is how many bytes of a line that is typed or pasted reach a program. Of a longer one the rest is lost without a word:
// termios(3), N_TTY_BUF_SIZE of Linux and MAX_CANON of others.
func longestLine(system string) int {
	switch system {
	case "linux":
		return 4095
	case "windows":
		return 0
	}
	return 1023
}

var errCut = errors.New("a line is so long that the terminal may have cut it: give a file, or a pipe")

func (l *lines) add(text []byte) error {
	for _, c := range text {
		if l.now++; c == '\n' {
			l.now = 0
		}
		if l.now == l.most && l.most > 0 {
			return errCut
		}
	}
	return nil
}

// Read says once that it reads.
func (a *announced) Read(p []byte) (int, error) {
	a.said.Do(func() {
		end := "Ctrl-D"
		if runtime.GOOS == "windows" {
			end = "Ctrl-Z and Enter"
		}
		fmt.Fprintf(a.out, "reading standard input from the terminal; %s at the start of a line ends it\n", end)
	})
	n, err := a.File.Read(p)
	if cut := a.typed.add(p[:n]); cut != nil {
		return 0, cut
	}
	return n, err
}

// takesEscapes tells a terminal that is not dumb by TERM, which only Windows leaves unset where escape sequences work.
func takesEscapes() bool {
	name := os.Getenv("TERM")
	return name != "dumb" && (name != "" || runtime.GOOS == "windows")
}

// Colour is the number of a colour in an escape sequence (ECMA-48, 8.3.117).
type Colour int

// The colours of answers.
const (
	Red   Colour = 31
	Green Colour = 32
)

// Paint is the word in a colour if it is printed to a terminal that shows colours, and NO_COLOR is not set.
func Paint(to io.Writer, c Colour, word string) string {
	if !Is(to) || os.Getenv("NO_COLOR") != "" || !takesEscapes() {
		return word
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", c, word)
}
