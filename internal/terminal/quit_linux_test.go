package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is also the program that asks, in a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("RUNATTEST_TEST_ASK") != "" {
		_, err := readHidden(0)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	os.Exit(m.Run())
}

// asked is a program that asks for a password on a terminal, and has turned its echo off.
type asked struct {
	master, slave *os.File
	cmd           *exec.Cmd
	stderr        bytes.Buffer
	ended         chan struct{}
}

func ask(t *testing.T) *asked {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	a := &asked{master: master, slave: slave, ended: make(chan struct{})}
	if !a.echoes(t) {
		t.Fatal("a new terminal without echo")
	}
	a.cmd = exec.CommandContext(t.Context(), os.Args[0])
	a.cmd.Env = append(os.Environ(), "RUNATTEST_TEST_ASK=1")
	a.cmd.Stdin, a.cmd.Stderr = slave, &a.stderr
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = a.cmd.Wait()
		close(a.ended)
	}()
	a.hides(t)
	return a
}

func (a *asked) echoes(t *testing.T) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(a.slave.Fd()), getTermios)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// hides waits until the terminal has no echo, or the program has ended.
func (a *asked) hides(t *testing.T) {
	t.Helper()
	for a.echoes(t) {
		select {
		case <-a.ended:
			t.Fatalf("it has ended: %s", &a.stderr)
		case <-time.After(time.Millisecond):
		}
	}
}

// TestQuit: Ctrl-\ at the question for a password ends the process, and leaves the terminal with its echo.
func TestQuit(t *testing.T) {
	a := ask(t)
	_ = a.cmd.Process.Signal(unix.SIGQUIT)
	<-a.ended
	if !bytes.Contains(a.stderr.Bytes(), []byte("SIGQUIT")) {
		t.Errorf("exit status %d: %s", a.cmd.ProcessState.ExitCode(), &a.stderr)
	}
	if !a.echoes(t) {
		t.Error("the terminal is left without echo")
	}
}

// TestStopped: after Ctrl-Z the shell has its echo back, and fg takes it away again; it is there when the password was read.
func TestStopped(t *testing.T) {
	a := ask(t)
	for range 3 {
		state, err := unix.IoctlGetTermios(int(a.slave.Fd()), getTermios)
		if err != nil {
			t.Fatal(err)
		}
		state.Lflag |= unix.ECHO
		err = errors.Join(a.cmd.Process.Signal(unix.SIGSTOP), unix.IoctlSetTermios(int(a.slave.Fd()), setTermios, state), a.cmd.Process.Signal(unix.SIGCONT))
		if err != nil {
			t.Fatal(err)
		}
		a.hides(t)
	}
	if _, err := a.master.WriteString("pw\n"); err != nil {
		t.Fatal(err)
	}
	<-a.ended
	if got := a.stderr.String(); got != "<nil>\n" {
		t.Errorf("%s, want no error", got)
	}
	if !a.echoes(t) {
		t.Error("the terminal is left without echo")
	}
}
