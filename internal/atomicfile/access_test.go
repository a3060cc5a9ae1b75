package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCheckFolderReadOnly: a folder that takes no file is found before there is anything to write, and so is the folder of a
// file to which a link leads.
func TestCheckFolderReadOnly(t *testing.T) {
	open, closed := t.TempDir(), t.TempDir()
	defer func() { access = mayWrite }()
	access = func(folder string) error {
		if folder == closed {
			return syscall.EROFS
		}
		return mayWrite(folder)
	}
	link := filepath.Join(open, "link")
	if err := os.Symlink(filepath.Join(closed, "f"), link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{filepath.Join(open, "f"): true, filepath.Join(closed, "f"): false, link: false, os.DevNull: true, "/dev/fd/1": true} {
		err := CheckFolder(path)
		if (err == nil) != want || err != nil && !strings.HasPrefix(err.Error(), path+": no file can be written in the folder "+closed) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
