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
		filepath.Join(a, "none", "new", "f"): a, filepath.Join(link, "none", "f"): a, filepath.Join(a, "none") + "/../../f": "",
	} {
		if got := Inside(target, filepath.Join(dir, "none"), a); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}

// TestInsideByLink: a result is in a folder, too, where a link of its name leads there, to a file that is there or is not.
func TestInsideByLink(t *testing.T) {
	dir := t.TempDir()
	a, away := filepath.Join(dir, "a"), filepath.Join(dir, "away")
	for _, name := range []string{filepath.Join(a, "b", "c"), away} {
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dangling := link(t, filepath.Join(a, "new"), filepath.Join(dir, "dangling"))
	link(t, filepath.Join(a, "b", "c"), filepath.Join(away, "c"))
	link(t, away, filepath.Join(dir, "cwd"))
	t.Chdir(filepath.Join(dir, "cwd"))
	t.Setenv("PWD", filepath.Join(dir, "cwd"))
	for target, want := range map[string]string{
		dangling: a,
		link(t, "dangling", filepath.Join(dir, "2")):                               a,
		link(t, "c/../../new", filepath.Join(away, "out")):                         a,
		link(t, filepath.Join("..", "a", "new"), filepath.Join(away, "near")):      a,
		link(t, write(t, filepath.Join(a, "there")), filepath.Join(away, "there")): a,
		link(t, filepath.Join(away, "new"), filepath.Join(a, "away")):              a,
		link(t, filepath.Join(dir, "new"), filepath.Join(away, "other")):           "",
		link(t, "loop", filepath.Join(away, "loop")):                               "",
		"new": "",
	} {
		if got := Inside(target, a); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
	if got := Inside("new", away); got != away {
		t.Errorf("in the working directory: %q", got)
	}
}

func TestHoldsLink(t *testing.T) {
	dir := t.TempDir()
	a := filepath.Join(dir, "a")
	if err := os.MkdirAll(filepath.Join(a, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	there, alone := write(t, filepath.Join(a, "b", "f")), write(t, filepath.Join(dir, "alone"))
	hard, pair := filepath.Join(dir, "hard"), filepath.Join(dir, "pair")
	for from, to := range map[string]string{there: hard, write(t, filepath.Join(dir, "other")): pair} {
		if err := os.Link(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]bool{hard: true, alone: false, pair: false, filepath.Join(dir, "none"): false, a: false} {
		if HoldsLink(a, path) != want {
			t.Errorf("%s: want %v", path, want)
		}
	}
}
