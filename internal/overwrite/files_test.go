package overwrite

import (
	"path/filepath"
	"testing"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := write(t, filepath.Join(dir, "a")), write(t, filepath.Join(dir, "b"))
	toA, alsoA, none := link(t, a, filepath.Join(dir, "x")), link(t, a, filepath.Join(dir, "y")), filepath.Join(dir, "none")
	f := NewFiles(none, toA, b, a)
	for target, want := range map[string][2]string{
		a: {toA, toA}, alsoA: {toA, toA}, toA: {toA, a}, b: {b, ""}, none: {}, "-": {}, "": {},
	} {
		if got, _ := f.Find(target); got != want[0] {
			t.Errorf("Find(%q) = %q, want %q", target, got, want[0])
		}
		if got, _ := f.FindAlias(target); got != want[1] {
			t.Errorf("FindAlias(%q) = %q, want %q", target, got, want[1])
		}
	}
	if _, i := f.FindAlias(toA); i != 3 {
		t.Errorf("index %d, want 3: what is not there counts", i)
	}
	if name, _ := new(Files).Find(a); name != "" {
		t.Error(name)
	}
}
