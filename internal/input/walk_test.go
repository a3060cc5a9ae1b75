package input

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files, and links where "->" stands between a name and a target, in a folder of its own.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name, target, isLink := strings.Cut(name, "->")
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if isLink {
			err = errors.Join(err, os.Symlink(filepath.FromSlash(target), path))
		} else {
			err = errors.Join(err, os.WriteFile(path, []byte("{}"), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// walked are the files of a walk, from a folder; an error is one with "!".
func walked(t *testing.T, dir, folder string) []string {
	t.Helper()
	var got []string
	if err := walk(filepath.Join(dir, folder), func(path string, _ fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, path)
		if err != nil {
			name += "!"
		}
		got = append(got, filepath.ToSlash(name))
		return relErr
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestWalk: links to folders are followed, the one that is named and those below it, each folder once.
func TestWalk(t *testing.T) {
	for _, c := range []struct {
		about, folder string
		tree, want    []string
	}{
		{"a folder elsewhere", "d", []string{"d/a/x", "d/b->../e", "d/z", "e/x", "e/f/y"}, []string{"d/a/x", "d/z", "d/b/f/y", "d/b/x"}},
		{"the folder itself is a link", "l", []string{"l->d", "d/a/x", "d/y"}, []string{"l/a/x", "l/y"}},
		{"a link behind a link", "d", []string{"d/b->../e", "e/c->../f", "f/x"}, []string{"d/b/c/x"}},
		{"a link to a link", "d", []string{"d/b->../e", "e->f", "f/x"}, []string{"d/b/x"}},
		{"two links to one folder", "d", []string{"d/b->../e", "d/c->../e", "e/x"}, []string{"d/b/x"}},
		{"a link to a folder that is there", "d", []string{"d/a->z", "d/z/x"}, []string{"d/z/x"}},
		{"circles", "d", []string{"d/a/up->..", "d/a/x", "d/b->../e", "e/back->../d", "e/self->."}, []string{"d/a/x"}},
		{"a folder above", "d/e", []string{"d/e/up->..", "d/e/x", "d/y"}, []string{"d/e/x", "d/e/up/y"}},
		{"links that lead nowhere", "d", []string{"d/a->none", "d/b->b", "d/x", "d/y/z->x/y"}, []string{"d/a!", "d/b!", "d/x", "d/y/z!"}},
		{"a mounted volume", "d", []string{"d/..1/x", "d/..data->..1", "d/x->..data/x"}, []string{"d/..1/x", "d/x"}},
	} {
		if diff := cmp.Diff(c.want, walked(t, tree(t, c.tree...), c.folder)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.about, diff)
		}
	}
}

// TestWalkEnds: an error ends the walk, in the folder and behind links.
func TestWalkEnds(t *testing.T) {
	dir := tree(t, "d/a", "d/b->../e", "d/c->../f", "e/x", "f/y")
	end := errors.New("end")
	for at := 1; at <= 3; at++ {
		for returned, want := range map[error]error{end: end, fs.SkipAll: nil} {
			n := 0
			err := walk(filepath.Join(dir, "d"), func(string, fs.DirEntry, error) error {
				if n++; n == at {
					return returned
				}
				return nil
			})
			if n != at || !errors.Is(err, want) {
				t.Errorf("%v at file %d: %v after %d files", returned, at, err, n)
			}
		}
	}
}

// TestWalkLimit: links do not lead into more folders than the limit, which is one error. What is not behind a link does not count.
func TestWalkLimit(t *testing.T) {
	dir := tree(t, "d/a/b/c/x", "d/l->../many", "d/m->../more", "more/y", "many/1/x", "many/2/x", "many/3/x")
	var got []string
	w := walker{links: []string{filepath.Join(dir, "d")}, most: 3, each: func(path string, _ fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, path)
		if err != nil {
			name += "!"
		}
		got = append(got, filepath.ToSlash(name))
		return relErr
	}}
	if err := w.walk(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"d/a/b/c/x", "d/l/1/x", "d/l/2/x", "d/l/3!"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLinkedFolders: what looks for files in folders passes over no linked one.
func TestLinkedFolders(t *testing.T) {
	dir := tree(t, "d/one/cases.yaml", "d/two->../real", "real/cases.yaml", "real/x.sigstore.json", "link->d", "broken/l->none", "broken/cases.yaml")
	for _, name := range []string{"d", "link"} {
		if found, err := Named(filepath.Join(dir, name), "cases.yaml"); err != nil || len(found) != 2 {
			t.Errorf("%s: %q, %v", name, found, err)
		}
		for blob, err := range Lineage(filepath.Join(dir, name), nil, Bundles) {
			if want := filepath.Join(dir, name, "two", "x.sigstore.json"); err != nil || blob.Name != want {
				t.Errorf("%s, %v, want %s", blob.Name, err, want)
			}
		}
	}
	if _, err := Named(filepath.Join(dir, "broken"), "cases.yaml"); err == nil || !strings.Contains(err.Error(), filepath.Join("broken", "l")+": is a link that leads to no file") {
		t.Errorf("a broken link: %v", err)
	}
}
