package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry"
)

const declaration = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`

// A file is named by what it holds, and a link of that name is not followed.
func TestFolder(t *testing.T) {
	d, err := identity.Parse([]byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	to := New(dir)
	if err := to.WriteDeclaration(d); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "airun-1-sha256-"+d.ID().Hex()+".json"))
	if err != nil || string(text) != string(d.Canonical()) {
		t.Errorf("%s, %v", text, err)
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, "sha256-ab.sigstore.json")); err != nil {
		t.Skip(err)
	}
	if path, err := to.WriteBundle(&registry.Found{Referrer: "sha256:ab", Data: []byte("{}")}); err == nil {
		t.Errorf("written to %s", path)
	}
	if text, _ := os.ReadFile(victim); string(text) != "kept" {
		t.Errorf("the link was followed: %s", text)
	}
}

// A name that leads out of the folder is refused: Found is a struct that anything can fill in.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	to := New(filepath.Join(dir, "in"))
	for _, referrer := range []string{"../out", "/out", "sub/out", "..", ""} {
		found := &registry.Found{Referrer: referrer, Data: []byte("{}")}
		path, err := to.WriteBundle(found)
		if err == nil && filepath.Dir(path) != filepath.Join(dir, "in") || err == nil && strings.ContainsAny(referrer, "/") {
			t.Errorf("%q is written to %s", referrer, path)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// A bundle is one line whether it was parsed or not: Mirror.Add drops what was parsed.
func TestLine(t *testing.T) {
	line := Line(&registry.Found{Data: []byte("{\n \"a\": \"<b>\",\r\n \"c\": [1,\n2]}\n")})
	if string(line) != "{\"a\":\"<b>\",\"c\":[1,2]}\n" {
		t.Errorf("%q", line)
	}
}

func TestMissing(t *testing.T) {
	to := New(t.TempDir())
	d, err := identity.Parse([]byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	to.detached["b"], to.detached["a"] = d.ID(), identity.ID{}
	if err := to.WriteDeclaration(d); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range to.Missing() {
		names = append(names, name)
	}
	if len(names) != 1 || names[0] != "a" {
		t.Errorf("missing: %q, want the one without a file", names)
	}
}
