package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"golang.org/x/term"
)

// ErrNone says that there is no terminal on which a password could be asked.
var ErrNone = errors.New("a password is needed, and there is no terminal to ask on")

// AskPassword asks for a password, twice when it is a new one. It asks on the terminal that controls the process,
// whatever its standard streams are, so that a file can come through a pipe and the password from a keyboard; without
// that on the given streams, or else the error is ErrNone. An empty password is never nil.
func AskPassword(ctx context.Context, in io.Reader, out io.Writer, prompt string, twice bool) ([]byte, error) {
	t, err := open(in, out)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if state, err := term.GetState(int(t.in.Fd())); err == nil { // an interrupt leaves the terminal as it was
		defer context.AfterFunc(ctx, func() { _ = term.Restore(int(t.in.Fd()), state) })()
	}
	password, err := t.ask(prompt)
	if err != nil || !twice || len(password) == 0 { // which is refused without asking again
		return password, err
	}
	again, err := t.ask("again: ")
	if err == nil && string(again) != string(password) {
		err = errors.New("the two passwords differ")
	}
	return password, err
}

// terminal is where a person can be asked.
type terminal struct {
	in    *os.File
	out   io.Writer
	close func()
}

func open(stdin io.Reader, stderr io.Writer) (*terminal, error) {
	name, out := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		name, out = "CONIN$", "CONOUT$"
	}
	if in, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
		if out, err := os.OpenFile(out, os.O_WRONLY, 0); err == nil {
			return &terminal{in, out, func() { _, _ = in.Close(), out.Close() }}, nil
		}
		_ = in.Close()
	}
	if a, ok := stdin.(*announced); ok { // the prompt says that it reads
		stdin = a.File
	}
	if in, ok := stdin.(*os.File); ok && Is(in) {
		return &terminal{in, stderr, func() {}}, nil
	}
	return nil, ErrNone
}

// ask reads a line without echo.
func (t *terminal) ask(prompt string) ([]byte, error) {
	fmt.Fprint(t.out, prompt)
	defer fmt.Fprintln(t.out)
	line, err := readHidden(int(t.in.Fd()))
	if errors.Is(err, io.EOF) {
		err = errors.New("the terminal's input ended, and no password was given")
	}
	return append([]byte{}, line...), err
}
