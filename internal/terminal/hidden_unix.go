//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import (
	"errors"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/runattest/runattest/internal/limits"
)

// readHidden reads a line from a terminal without echo. The end of input (Ctrl-D) ends it, too, and is io.EOF on an empty
// line, where ReadPassword of x/term goes on reading.
func readHidden(fd int) ([]byte, error) {
	state, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	hidden := *state
	hidden.Lflag = hidden.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	hidden.Iflag |= unix.ICRNL
	hide := func() error { return unix.IoctlSetTermios(fd, setTermios, &hidden) }
	defer untilRead(func() { _ = hide() }, func() { _ = unix.IoctlSetTermios(fd, setTermios, state) })() // as it was found
	if err := hide(); err != nil {
		return nil, err
	}
	return readLine(func(p []byte) (int, error) { return unix.Read(fd, p) })
}

// untilRead has a terminal restored when stop is called, and before SIGQUIT (Ctrl-\) ends the process; one that was started to ignore that
// goes on. Where the process was stopped (Ctrl-Z) and goes on, it has the terminal hidden again: the shell has put the echo back.
func untilRead(hide, restore func()) (stop func()) {
	signals, done, ended := make(chan os.Signal, 4), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, unix.SIGCONT)
	if !signal.Ignored(unix.SIGQUIT) {
		signal.Notify(signals, unix.SIGQUIT)
	}
	go func() {
		defer close(ended)
		defer restore()
		for {
			select {
			case s := <-signals:
				if s == unix.SIGCONT {
					hide()
					continue
				}
				restore()
				signal.Reset(unix.SIGQUIT)
				_ = unix.Kill(unix.Getpid(), unix.SIGQUIT)
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		signal.Stop(signals)
	}
}

// readLine reads byte by byte: what comes after the line is for the next question.
func readLine(read func(p []byte) (int, error)) ([]byte, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := read(one)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, err
		case n == 0 && len(line) == 0:
			return nil, io.EOF
		case n == 0 || one[0] == '\n':
			return line, nil
		case one[0] == '\b' && len(line) > 0:
			line = line[:len(line)-1]
		case one[0] != '\r' && one[0] != '\b' && len(line) <= limits.Password: // more is refused by its length
			line = append(line, one[0])
		}
	}
}
