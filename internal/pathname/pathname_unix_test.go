//go:build unix

package pathname

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNames: .. behind a link leads out of what it leads to.
func TestNames(t *testing.T) {
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
		if got := filepath.ToSlash(Start(path)); got != want {
			t.Errorf("%s starts at %s, want %s", path, got, want)
		}
		if err := os.MkdirAll(Folder(path), 0o700); err != nil || path == "/f" {
			continue
		}
		folder, err := os.Stat(Folder(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{Folder(path), Folder(path) + "/"} {
			if err := os.WriteFile(In(dir, "g"), nil, 0o600); err != nil {
				t.Errorf("%s: %v", path, err)
			} else if made, err := os.Stat(Folder(In(dir, "g"))); err != nil || !os.SameFile(folder, made) {
				t.Errorf("%s: %s is elsewhere, %v", path, In(dir, "g"), err)
			}
		}
	}
}
