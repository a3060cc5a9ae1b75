//go:build unix

package boundedfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolderOf(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("a/deep", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a/deep", "link"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"f": ".", "a/f": "a", "./a/f": "a", "link/f": "link", "link/../f": "a", "a/../f": ".", "a/deep/../f": "a",
		"none/../f": ".", "/f": "/", "../f": "..", "..f/g": "..f",
	} {
		if got := filepath.ToSlash(FolderOf(path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
