//go:build unix

package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBehindLink: a journal whose name leads out of what a link leads to is there, and not beside the link.
func TestBehindLink(t *testing.T) {
	d := newDesk(t)
	at := t.TempDir()
	for _, folder := range []string{"a/deep", "j"} {
		if err := os.MkdirAll(filepath.Join(at, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(at, "a", "deep"), filepath.Join(at, "link")); err != nil {
		t.Fatal(err)
	}
	d.dir = at + "/link/../j"
	j := d.open(t)
	add(t, j, d.entry(t, 0, true))
	closeJournal(t, j)
	if _, err := os.Stat(filepath.Join(at, "a", "j", idName)); err != nil {
		t.Error(err)
	}
	if found, err := os.ReadDir(filepath.Join(at, "j")); err != nil || len(found) > 0 {
		t.Errorf("beside the link: %v, %v", found, err)
	}
}
