package terminal

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

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

// TestQuit: Ctrl-\ at the question for a password ends the process, and leaves the terminal with its echo.
func TestQuit(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
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
	defer slave.Close()
	echoes := func() bool {
		state, err := unix.IoctlGetTermios(int(slave.Fd()), getTermios)
		if err != nil {
			t.Fatal(err)
		}
		return state.Lflag&unix.ECHO != 0
	}
	if !echoes() {
		t.Fatal("a new terminal without echo")
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "RUNATTEST_TEST_ASK=1")
	cmd.Stdin, cmd.Stderr = slave, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for isOver := false; echoes() && !isOver; {
		select {
		case <-ended:
			isOver = true
		default:
			runtime.Gosched()
		}
	}
	_ = cmd.Process.Signal(unix.SIGQUIT)
	<-ended
	if !bytes.Contains(stderr.Bytes(), []byte("SIGQUIT")) {
		t.Errorf("exit status %d: %s", cmd.ProcessState.ExitCode(), &stderr)
	}
	if !echoes() {
		t.Error("the terminal is left without echo")
	}
}
