package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	processTimeout = 2 * time.Minute
	sessionTimeout = 10 * processTimeout // of a program that answers for the length of a test

	password = "correct horse"

	// Nothing listens on the discard port.
	unreachable = "http://127.0.0.1:9"
)

// desk is where one person works: a folder, a home, and no network.
type desk struct {
	t   *testing.T
	dir string
	env []string
}

// newDesk fails the test if anything was left in the home directory: cosign keeps there what
// it fetches.
func newDesk(t *testing.T) *desk {
	t.Helper()
	home := t.TempDir()
	t.Cleanup(func() {
		left, err := os.ReadDir(home)
		if err != nil || len(left) > 0 {
			t.Errorf("home directory: %v, %v; want it empty", left, err)
		}
	})
	return &desk{t: t, dir: t.TempDir(), env: []string{
		"HOME=" + home,
		"HTTP_PROXY=" + unreachable, "HTTPS_PROXY=" + unreachable,
	}}
}

// usePassword gives both programs the password of the keys that they make and read.
func (d *desk) usePassword() {
	d.env = append(d.env, "RUNATTEST_PASSWORD="+password, "COSIGN_PASSWORD="+password)
}

// in is the same desk within a subtest.
func (d *desk) in(t *testing.T) *desk { return &desk{t, d.dir, d.env} }

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) read(name string) []byte {
	d.t.Helper()
	data, err := os.ReadFile(d.path(name))
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

func (d *desk) write(name string, data []byte) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), data, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) runattest(args ...string) outcome { d.t.Helper(); return d.run(runattestPath, args) }
func (d *desk) cosign(args ...string) outcome    { d.t.Helper(); return d.run(cosignPath, args) }

// start starts a program, and gives what writes to it and reads from it: the caller ends it.
func start(t *testing.T, cmd *exec.Cmd) (in io.WriteCloser, out io.ReadCloser) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return in, out
}

func (d *desk) run(program string, args []string) outcome {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), processTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = d.dir, d.env, time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	command := filepath.Base(program) + " " + strings.Join(args, " ")
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		d.t.Fatalf("%s: %v\n%s", command, errors.Join(ctx.Err(), err), &stderr)
	}
	return outcome{d.t, command, cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.String()}
}

// outcome is what is left of a process.
type outcome struct {
	t       *testing.T
	command string
	code    int
	stdout  []byte
	stderr  string
}

// ok demands exit status 0 and returns standard output.
func (o outcome) ok() []byte {
	o.t.Helper()
	if o.code != 0 {
		o.t.Fatalf("%s: exit status %d\n%s%s", o.command, o.code, o.stdout, o.stderr)
	}
	return o.stdout
}

// refused demands exit status 1 and the reason on standard error: cosign has one exit status
// for every failure, and only the right one counts.
func (o outcome) refused(reason string) {
	o.t.Helper()
	if o.code != 1 || !strings.Contains(o.stderr, reason) {
		o.t.Errorf("%s: exit status %d, want 1 and %q\n%s%s", o.command, o.code, reason, o.stdout, o.stderr)
	}
}
