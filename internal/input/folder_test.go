package input

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLineage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("b.sigstore.json", "{}")
	write("a/x.sigstore.jsonl", "{}\n\n{}\n")
	write("a/Y.SIGSTORE.JSON", "{}")
	write("a/declaration.json", "{}")
	write("a/deeper/empty.sigstore.json", "")
	write("folder.sigstore.json/z.sigstore.json", "{}")
	write("elsewhere.json", "{}")
	for link, target := range map[string]string{"c.sigstore.json": "elsewhere.json", "a/up": "..", "loop.sigstore.json": "loop.sigstore.json", "d.sigstore.json": "a"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	type found struct {
		Name string
		Bad  bool
	}
	var got []found
	for blob, err := range Lineage(dir, nil, Bundles) {
		name, relErr := filepath.Rel(dir, blob.Name)
		if relErr != nil {
			t.Fatal(relErr)
		}
		got = append(got, found{filepath.ToSlash(name), err != nil})
	}
	want := []found{
		{"a/Y.SIGSTORE.JSON", false}, {"a/deeper/empty.sigstore.json", true}, {"a/x.sigstore.jsonl:1", false}, {"a/x.sigstore.jsonl:3", false},
		{"b.sigstore.json", false}, {"c.sigstore.json", false}, {"folder.sigstore.json/z.sigstore.json", false}, {"loop.sigstore.json", true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bundles in the folder (-want +got):\n%s", diff)
	}
	for range Lineage(dir, nil, Bundles) { // who stops is not gone on for
		break
	}
}

// TestNamed: a folder stands for the files of a name in it and below it, and a file for itself, whatever its name.
func TestNamed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"cases.yaml", "b/c/cases.yaml", "b/other.yaml"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := Named(dir, "cases.yaml"); err != nil || len(found) != 2 {
		t.Errorf("%q, %v", found, err)
	}
	if found, err := Named(dir, "none.yaml"); err != nil || len(found) != 0 {
		t.Errorf("%q, %v", found, err)
	}
	for _, path := range []string{filepath.Join(dir, "b", "other.yaml"), filepath.Join(dir, "missing")} {
		if found, err := Named(path, "cases.yaml"); err != nil || len(found) != 1 || found[0] != path {
			t.Errorf("%q, %v", found, err)
		}
	}
}

// TestRead: standard input is read by its name, and both are bounded.
func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path: "file", Stdin: "stdin"} {
		if data, err := Read(name, strings.NewReader("stdin"), 5); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if data, err := Read(name, strings.NewReader("stdin"), 3); err == nil {
			t.Errorf("%s: %q, want an error", name, data)
		}
	}
}
