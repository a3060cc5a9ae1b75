package folder

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCheckPath: what is fetched goes to JSON Lines, or into a folder, and never over a file of another name.
func TestCheckPath(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"there", "there.jsonl"} {
		if err := os.WriteFile(at(name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, ok := range map[string]bool{
		at("new"): true, dir: true, at("new.jsonl"): true, at("there.jsonl"): true, at("new.ndjson"): true,
		at("there"): false, at("new.json"): false, at("new.sigstore.json"): false,
	} {
		err := CheckPath(path)
		if (err == nil) != ok || errors.Is(err, ErrDocument) != (filepath.Ext(path) == ".json") {
			t.Errorf("%s: %v", path, err)
		}
		if err := CheckFolder(path); (err == nil) != (path != at("there") && path != at("there.jsonl")) {
			t.Errorf("folder %s: %v", path, err)
		}
	}
}
