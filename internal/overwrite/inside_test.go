package overwrite

import (
	"os"
	"path/filepath"
	"testing"
)

func TestInside(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/b", "ab"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(name)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "a", "b"), link); err != nil {
		t.Fatal(err)
	}
	a := filepath.Join(dir, "a")
	for target, want := range map[string]string{
		filepath.Join(a, "f"): a, filepath.Join(a, "b", "f"): a, filepath.Join(link, "f"): a,
		filepath.Join(dir, "f"): "", filepath.Join(dir, "ab", "f"): "", filepath.Join(dir, "none", "f"): "",
	} {
		if got := Inside(target, filepath.Join(dir, "none"), a); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}
