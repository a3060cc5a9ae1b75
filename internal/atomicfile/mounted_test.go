package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMounted: a file that is a mount point stays what it is, and nothing is left beside it.
func TestMounted(t *testing.T) {
	t.Cleanup(func() { rename = os.Rename })
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, errno := range []syscall.Errno{syscall.EBUSY, syscall.EXDEV} {
		rename = func(from, to string) error { return &os.LinkError{Op: "rename", Old: from, New: to, Err: errno} }
		if err := Write(path, []byte("new"), 0o600); !errors.Is(err, ErrMounted) || !errors.Is(err, errno) {
			t.Errorf("%v: got %v", errno, err)
		}
		if err := Replace(path, path); !errors.Is(err, ErrMounted) || !errors.Is(err, errno) {
			t.Errorf("%v: got %v", errno, err)
		}
	}
	data, err := os.ReadFile(path)
	entries, _ := os.ReadDir(filepath.Dir(path))
	if err != nil || string(data) != "old" || len(entries) != 1 {
		t.Errorf("the file holds %q, %v, in a folder with %v", data, err, entries)
	}
}
