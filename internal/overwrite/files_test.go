package overwrite

import (
	"os"
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

// TestLayout: all files of an OCI layout are among those that are read, and no others in its folder.
func TestLayout(t *testing.T) {
	dir := t.TempDir()
	layout := filepath.Join(dir, "layout")
	if err := os.MkdirAll(filepath.Join(layout, "blobs", "sha256"), 0o700); err != nil {
		t.Fatal(err)
	}
	index, marker := write(t, filepath.Join(layout, "index.json")), write(t, filepath.Join(layout, "oci-layout"))
	var f Files
	f.AddLayout(layout)
	tarball := write(t, filepath.Join(dir, "tarball"))
	f.AddLayout(tarball)
	for target, refused := range map[string]bool{
		index: true, marker: true,
		filepath.Join(layout, "blobs"): true, filepath.Join(layout, "blobs", "sha256"): true, filepath.Join(layout, "blobs") + "/": true, layout: true,
		filepath.Join(layout, "blobs", "sha256", "none"): true, filepath.Join(layout, "blobs", "x"): true,
		write(t, filepath.Join(layout, "mine")): false, filepath.Join(layout, "new"): false, tarball: true,
		filepath.Join(dir, "new"): false, "-": false, "": false,
	} {
		if err := f.Check(target); (err != nil) != refused {
			t.Errorf("%s: %v", target, err)
		}
	}
}
