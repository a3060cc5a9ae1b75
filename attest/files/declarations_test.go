package files_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
)

func declared(seed int) string {
	return fmt.Sprintf(`{"schema":%q,"kind":"other","model":{"name":"m"},"prompt":{},"parameters":{"seed":%d},"context":[],"constraints":{}}`, identity.Schema, seed)
}

// Declarations are found by their identities wherever they lie, and what lies beside them is passed over or named.
func TestReadDeclarations(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.jsonl":          declared(1) + "\n" + declared(2) + "\n" + declared(1) + "\n",
		"b.json":           declared(3),
		"b.sigstore.json":  "{",
		"notes.txt":        "notes",
		"signed.json":      `{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[]}`,
		"other/broken.yml": "{",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := files.ReadDeclarations([]string{dir, input.Stdin}, strings.NewReader(declared(4)))
	if err != nil || all.Len() != 4 || all.Only() != nil {
		t.Fatalf("%d, %v", all.Len(), err)
	}
	for d := range all.All() {
		if all.Find(d.ID()) != d {
			t.Errorf("%s is not found", d.ID())
		}
	}
	one, err := files.ReadDeclarations([]string{filepath.Join(dir, "b.json")}, nil)
	if err != nil || one.Only() == nil || all.Find(one.Only().ID()) == nil || one.Find(identity.ID{}) != nil {
		t.Errorf("%v", err)
	}
	for path, want := range map[string]string{"other": "broken.yml", "notes.txt": "notes.txt", "signed.json": "is a bundle and no declaration", "none": "none"} {
		if _, err := files.ReadDeclarations([]string{filepath.Join(dir, path)}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if same, err := files.NewDeclarations(one.Only(), one.Only()); err != nil || same.Only() != one.Only() {
		t.Errorf("from memory: %v", err)
	}
	if _, err := files.NewDeclarations(one.Only(), nil); err == nil || err.Error() != "declaration 1: is nil" {
		t.Errorf("from memory, with nil: %v", err)
	}
	var none *files.Declarations
	if none.Len() != 0 || none.Only() != nil || none.Find(one.Only().ID()) != nil {
		t.Error("nil has declarations")
	}
}
