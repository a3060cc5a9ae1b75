//go:build unix

package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder that belongs to another user is refused, and nothing is written to it.
func TestFolderOfAnotherUser(t *testing.T) {
	d := newDesk(t)
	closeJournal(t, d.open(t))
	info, err := os.Stat(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkOwner(info, os.Geteuid()); err != nil {
		t.Error(err)
	}
	if err := checkOwner(info, os.Geteuid()+1); err == nil {
		t.Error("the folder of another user is accepted")
	}
	if os.Geteuid() != 0 {
		return // only root can give a folder away
	}
	if err := os.Remove(filepath.Join(d.dir, lockName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(d.dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.dir, d.options); err == nil || !strings.Contains(err.Error(), "belongs to user 12345, want 0") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(d.dir, lockName)); err == nil {
		t.Error("the folder that was refused has a lock")
	}
}
