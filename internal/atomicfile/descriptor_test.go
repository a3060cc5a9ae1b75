//go:build linux

package atomicfile_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/runattest/runattest/internal/atomicfile"
)

// TestWriteOpen: a file that is open keeps what it has, by every name that leads to it, and what its holder writes afterwards
// comes behind.
func TestWriteOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	for _, name := range []string{"/dev/fd/%d", "/proc/self/fd/%d", "/proc/thread-self/fd/%d", fmt.Sprintf("/proc/%d/fd/%%d", os.Getpid()), "link"} {
		if err := os.WriteFile(path, []byte("old\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		through := filepath.Join(dir, "link")
		if name == "link" {
			err = os.Symlink(fmt.Sprintf("/dev/fd/%d", f.Fd()), through)
		} else {
			through = fmt.Sprintf(name, f.Fd())
		}
		if n, ok := atomicfile.Descriptor(through); err != nil || !ok || n != int(f.Fd()) {
			t.Errorf("%s: %d, %v, %v", through, n, ok, err)
		}
		err = atomicfile.Write(through, []byte("ours\n"), 0o600)
		_, after := f.WriteString("theirs\n")
		if err := errors.Join(err, after, f.Close()); err != nil {
			t.Errorf("%s: %v", through, err)
		}
		if got := content(t, path); got != "old\nours\ntheirs\n" {
			t.Errorf("%s: %q", through, got)
		}
		if err := atomicfile.Write(through, []byte("ours\n"), 0o600); err == nil {
			t.Errorf("%s: closed, and written", through)
		}
	}
	for _, name := range []string{path, "/dev/null", "/dev/fd", "/proc/self/status", "", "/dev/fd/x"} {
		if n, ok := atomicfile.Descriptor(name); ok {
			t.Errorf("%q is open file %d", name, n)
		}
	}
}

// TestWriteOfAnother: what another process holds open is not ours to write into.
func TestWriteOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("sleep", "60")
	cmd.Stdout = f
	if err := errors.Join(os.WriteFile(path, []byte("old"), 0o600), cmd.Start()); err != nil {
		t.Skip(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	if err := atomicfile.Write(fmt.Sprintf("/proc/%d/fd/1", cmd.Process.Pid), []byte("new"), 0o600); err == nil || content(t, path) != "old" {
		t.Errorf("%v, %q", err, content(t, path))
	}
}
