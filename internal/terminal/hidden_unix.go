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
	restore := func() { _ = unix.IoctlSetTermios(fd, setTermios, state) } // as it was found
	defer beforeQuit(restore)()
	defer restore()
	if err := unix.IoctlSetTermios(fd, setTermios, &hidden); err != nil {
		return nil, err
	}
	return readLine(func(p []byte) (int, error) { return unix.Read(fd, p) })
}

// beforeQuit has something done before SIGQUIT (Ctrl-\) ends the process, until stop is called. A process that was started to ignore
// it goes on.
func beforeQuit(do func()) (stop func()) {
	if signal.Ignored(unix.SIGQUIT) {
		return func() {}
	}
	quits, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(quits, unix.SIGQUIT)
	go func() {
		select {
		case <-quits:
			do()
			signal.Reset(unix.SIGQUIT)
			_ = unix.Kill(unix.Getpid(), unix.SIGQUIT)
		case <-done:
		}
	}()
	return func() {
		signal.Stop(quits)
		close(done)
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
