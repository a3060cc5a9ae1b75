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
