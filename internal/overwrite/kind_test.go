package overwrite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCheckKind(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	kind := func(data []byte) string { return map[string]string{"r": "a root", "k": "a key"}[string(data)] }
	key := file("key", "k")
	for target, want := range map[string]string{
		"": "", "-": "", filepath.Join(dir, "new"): "", dir: "", os.DevNull: "",
		file("root", "r"): "", file("empty", ""): "",
		key:                                   key + ": is there and is a key, not a root",
		link(t, key, filepath.Join(dir, "l")): filepath.Join(dir, "l") + ": is there and is a key, not a root",
		file("text", "text"):                  filepath.Join(dir, "text") + ": is there and is not a root",
		file("long", "too long"):              filepath.Join(dir, "long") + ": is there and is not a root",
	} {
		err := CheckKind(target, "a root", kind, 4)
		if want == "" && err != nil || want != "" && (!errors.As(err, new(*OtherKindError)) || err.Error() != want) {
			t.Errorf("%q: %v, want %q", target, err, want)
		}
	}
}
