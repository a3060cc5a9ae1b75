//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/runattest/runattest/internal/pathname"
)

// TestParentOfLink: .. behind a link to a folder leads out of that folder, for the file, for what it leads to and for the temporary file.
func TestParentOfLink(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/deep", "b"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(name)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": filepath.Join(dir, "a", "deep"), "a/near": "target", "b/far": "../link/../far"} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { rename = os.Rename })
	rename = func(from, to string) error {
		if there, err := filepath.EvalSymlinks(pathname.Folder(from)); err != nil || filepath.Base(there) != "a" {
			t.Errorf("%s is in %s, %v", from, there, err)
		}
		return os.Rename(from, to)
	}
	for path, want := range map[string]string{"link/../f": "a/f", "link/../near": "a/target", "b/far": "a/far"} {
		path = dir + "/" + path
		if err := CheckFolder(path); err != nil {
			t.Error(err)
		}
		if err := Write(path, []byte(want), 0o600); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(want))); string(data) != want {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	if err := Create(dir+"/link/../new", []byte("new"), 0o600); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a", "new")); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%v, %v: want a, b and link", entries, err)
	}
	var missing *MissingFolderError
	if err := CheckFolder(dir + "/a/none/../../f"); !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
}
