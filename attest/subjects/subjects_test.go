package subjects

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/runattest/runattest/attest"
)

func TestList(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"a/m", "b/m"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("weights"), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	var hashed bytes.Buffer
	all, err := HashFiles(&hashed, paths...)
	if err != nil || len(all) != 2 || all[0].Name != "m" || all[0].SHA256 != sha256.Sum256([]byte("weights")) || hashed.String() != "weightsweights" {
		t.Fatalf("%v, %v, %q", all, err, &hashed)
	}
	var l List
	if err := l.Add(paths[0], all[0]); err != nil {
		t.Fatal(err)
	}
	same, ok := errors.AsType[*SameError](l.Add(paths[1], all[1]))
	if !ok || same.A != paths[0] || same.B != paths[1] || len(l.All()) != 1 {
		t.Errorf("%v, %v", same, l.All())
	}
	if err := errors.Join(l.AddOnce(paths[1], all[1]), l.AddOnce("another", attest.Subject{Name: "another"})); err != nil || len(l.All()) != 2 {
		t.Errorf("once: %v, %v", err, l.All())
	}
	if err := new(List).AddAll(paths, all); !errors.As(err, new(*SameError)) {
		t.Errorf("all: %v", err)
	}
	if err := new(List).AddAll(paths, all[:1]); err == nil {
		t.Error("two names of one subject")
	}
	var one List
	if err := one.AddAll(paths[:1], all[:1]); err != nil || len(one.All()) != 1 {
		t.Errorf("%v, %v", err, one.All())
	}
	if all, err := HashFiles(nil, paths[0], filepath.Join(dir, "none")); err == nil {
		t.Errorf("a file that is not there is %v", all)
	}
}
