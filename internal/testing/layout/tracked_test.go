package layout

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTracked: the repository has texts and test data, and not what a compiler made of them.
func TestTracked(t *testing.T) {
	root := "../../.."
	out, err := exec.Command("git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Skip("not a checkout of the repository, so that no file is tracked:", err)
	}
	names := bytes.Split(bytes.TrimRight(out, "\x00"), []byte{0})
	if len(names) < 500 {
		t.Fatalf("%d files are tracked, want all of the repository", len(names))
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(root, string(name)))
		if err != nil {
			continue // deleted, and not committed yet
		}
		var magic [4]byte
		n, _ := f.Read(magic[:]) // an empty file has none
		info, err := f.Stat()
		f.Close()
		switch string(magic[:n]) {
		case "\x7fELF", "MZ\x90\x00", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe":
			t.Errorf("%s is a program", name)
		}
		if err == nil && info.Size() > 4<<20 {
			t.Errorf("%s has %d bytes, want 4 MiB at most", name, info.Size())
		}
	}
}
