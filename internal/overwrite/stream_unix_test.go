//go:build unix

package overwrite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestCreate: what replaces nothing writes a new file or into a pipe or device, also through a link, and touches no file that is there.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	pipe, there, none := filepath.Join(dir, "pipe"), write(t, filepath.Join(dir, "there")), filepath.Join(dir, "none")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{pipe, link(t, pipe, filepath.Join(dir, "link"))} {
		reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // which waits for no writer
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		if err := errors.Join(MustBeNew(path), Create(path, []byte("text"), 0o600)); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if _, err := reader.Read(got); err != nil || string(got) != "text" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(MustBeNew(os.DevNull), Create(os.DevNull, []byte("text"), 0o600)); err != nil {
		t.Error(err)
	}
	for _, path := range []string{there, dir, link(t, there, filepath.Join(dir, "alias")), link(t, none, filepath.Join(dir, "broken"))} {
		for _, err := range []error{MustBeNew(path), Create(path, []byte("text"), 0o600)} {
			if !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "a" {
		t.Errorf("%q, %v", text, err)
	}
	if err := errors.Join(MustBeNew(none), Create(none, []byte("text"), 0o600), MustNotExist(filepath.Join(dir, "other"))); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(none); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}
