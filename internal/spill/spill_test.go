package spill

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/runattest/runattest/internal/limits"
)

// TestBuffer reads back what was written, in memory, in the file and across the two, and leaves no file.
func TestBuffer(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, size := range []int{0, 1, limits.SpillMemory, limits.SpillMemory + 1, limits.SpillMemory + 100_000} {
		text := make([]byte, size)
		for i := range text {
			text[i] = byte(i * 7)
		}
		var b Buffer
		for part := text; len(part) > 0; {
			n := min(len(part), 65_537)
			if m, err := b.Write(part[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			part = part[n:]
		}
		if b.Size() != int64(size) {
			t.Errorf("%d bytes, want %d", b.Size(), size)
		}
		for _, offset := range []int{0, size / 2, max(0, min(limits.SpillMemory, size)-1), size} {
			if got, err := io.ReadAll(b.Reader(int64(offset))); err != nil || !bytes.Equal(got, text[offset:]) {
				t.Errorf("from %d of %d: %d bytes, %v", offset, size, len(got), err)
			}
		}
		if inFile := size > limits.SpillMemory; inFile != (b.file != nil) {
			t.Errorf("%d bytes: in a file: %v", size, !inFile)
		}
		if err := b.Close(); err != nil || b.Size() != 0 {
			t.Error(b.Size(), err)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// TestBufferFails says what is wrong with the place of the file.
func TestBufferFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/none")
	var b Buffer
	if n, err := b.Write(make([]byte, limits.SpillMemory+1)); n != limits.SpillMemory || err == nil {
		t.Error(n, err)
	}
}
