package overwrite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, target, path string) string {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
	return path
}

func TestMustNotExist(t *testing.T) {
	dir := t.TempDir()
	there, none := write(t, filepath.Join(dir, "a")), filepath.Join(dir, "none")
	if err := MustNotExist(none); err != nil {
		t.Error(err)
	}
	for _, path := range []string{there, link(t, none, filepath.Join(dir, "broken"))} {
		if err := MustNotExist(none, path); !errors.Is(err, fs.ErrExist) || !errors.As(err, new(*ExistsError)) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestCheckInputs(t *testing.T) {
	dir := t.TempDir()
	in, other := write(t, filepath.Join(dir, "in")), write(t, filepath.Join(dir, "other"))
	alias := link(t, in, filepath.Join(dir, "alias"))
	for target, refused := range map[string]bool{
		in: true, alias: true,
		other: false, filepath.Join(dir, "new"): false, "-": false, "": false,
	} {
		if err := CheckInputs(target, filepath.Join(dir, "none"), in); (err != nil) != refused {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestCheckKey(t *testing.T) {
	dir := t.TempDir()
	key, public := write(t, filepath.Join(dir, "k.key")), write(t, filepath.Join(dir, "k.pub"))
	alias := link(t, key, filepath.Join(dir, "current"))
	for _, k := range []string{key, alias} {
		if CheckKey(public, k) == nil {
			t.Errorf("the public key beside %s is overwritten", k)
		}
	}
	if err := CheckKey(public, ""); err != nil {
		t.Error(err)
	}
	if err := CheckKey(filepath.Join(dir, "b.json"), key); err != nil {
		t.Error(err)
	}
}

func TestBeside(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{write(t, filepath.Join(dir, "a")), dir, filepath.Join(dir, "none")} {
		if got, err := Beside(path, ".x"); err != nil || got != path+".x" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if _, err := os.Stat(os.DevNull); err != nil {
		t.Skip(err)
	}
	if got, err := Beside(os.DevNull, ".x"); !errors.As(err, new(*NoPlaceError)) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestIsSameName(t *testing.T) {
	if !IsSameName("a", "./b/../a") || IsSameName("a", "b") {
		t.Error("names are not compared as paths")
	}
}
