package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// askPassword reads a password from RUNATTEST_PASSWORD, or asks on the terminal, twice when
// it is a new one. What is empty, there or here, is the empty password, and never nil.
func askPassword(cmd *cobra.Command, prompt string, twice bool) ([]byte, error) {
	if password, ok := os.LookupEnv("RUNATTEST_PASSWORD"); ok {
		return []byte(password), nil
	}
	t, err := openTerminal(cmd)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if state, err := term.GetState(int(t.in.Fd())); err == nil { // an interrupt leaves the terminal as it was
		defer context.AfterFunc(cmd.Context(), func() { _ = term.Restore(int(t.in.Fd()), state) })()
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

// terminal is where a person can be asked: the terminal that controls the process, whatever its
// standard streams are, so that a declaration can come through a pipe and the password from a keyboard.
type terminal struct {
	in    *os.File
	out   io.Writer
	close func()
}

var errNoTerminal = errors.New("a password is needed, and there is no terminal to ask on")

func openTerminal(cmd *cobra.Command) (*terminal, error) {
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
	if in, ok := cmd.InOrStdin().(*os.File); ok && isTerminal(in) {
		return &terminal{in, cmd.ErrOrStderr(), func() {}}, nil
	}
	return nil, withHint(errNoTerminal, "set RUNATTEST_PASSWORD")
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
