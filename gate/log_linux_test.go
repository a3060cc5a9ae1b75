package gate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFullPipe: a pipe of which the reader takes nothing does not hold a start for ever.
func TestFullPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer func(before time.Duration) { pipeWait = before }(pipeWait)
	pipeWait = 20 * time.Millisecond
	line := []byte(strings.Repeat("x", 64<<10))
	for range 1000 { // more than any pipe holds
		if err = appendLine(path, line); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want a deadline", err)
	}
}

// TestCheckLogLinks: a decision log is in a folder by whichever link it gets there, and also where the file is not there yet.
func TestCheckLogLinks(t *testing.T) {
	dir := t.TempDir()
	bound, away := filepath.Join(dir, "bound"), filepath.Join(dir, "away")
	for _, folder := range []string{bound, away} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := func(make func(from, to string) error, from, name string) string {
		path := filepath.Join(away, name)
		if err := make(from, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty := filepath.Join(bound, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, refused := range map[string]bool{
		link(os.Symlink, filepath.Join(bound, "new"), "dangling"): true,
		link(os.Symlink, "dangling", "second"):                    true,
		link(os.Symlink, "../bound/new", "relative"):              true,
		link(os.Symlink, empty, "there"):                          true,
		link(os.Link, empty, "hard"):                              true,
		link(os.Symlink, filepath.Join(dir, "log"), "elsewhere"):  false,
		filepath.Join(away, "new"):                                false,
	} {
		if err := LogFile(path).Check(bound); (err != nil) != refused {
			t.Errorf("%s: %v", path, err)
		}
	}
}
