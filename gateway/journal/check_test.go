package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCheck: what Check refuses Open refuses, and the other way round; Check makes nothing.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, dir string)
		at   string
		ok   bool
	}{
		"a new folder":         {func(*testing.T, string) {}, "new", true},
		"with those above it":  {func(*testing.T, string) {}, "a/b/new", true},
		"an empty one":         {func(t *testing.T, dir string) { mkdir(t, dir+"/j", 0o700) }, "j", true},
		"open to others":       {func(t *testing.T, dir string) { mkdir(t, dir+"/j", 0o750) }, "j", false},
		"not empty":            {func(t *testing.T, dir string) { mkdir(t, dir+"/j", 0o700); write(t, dir+"/j/x", "") }, "j", false},
		"a file":               {func(t *testing.T, dir string) { write(t, dir+"/f", "") }, "f", false},
		"below a file":         {func(t *testing.T, dir string) { write(t, dir+"/f", "") }, "f/j", false},
		"far below a file":     {func(t *testing.T, dir string) { write(t, dir+"/f", "") }, "f/a/b/j", false},
		"a link to nothing":    {func(t *testing.T, dir string) { link(t, dir+"/gone", dir+"/l") }, "l", false},
		"below such a link":    {func(t *testing.T, dir string) { link(t, dir+"/gone", dir+"/l") }, "l/j", false},
		"a link to itself":     {func(t *testing.T, dir string) { link(t, dir+"/l", dir+"/l") }, "l/j", false},
		"a link to a folder":   {func(t *testing.T, dir string) { mkdir(t, dir+"/j", 0o700); link(t, dir+"/j", dir+"/l") }, "l", true},
		"no id of a journal":   {func(t *testing.T, dir string) { mkdir(t, dir+"/j", 0o700); write(t, dir+"/j/"+idName, "{}") }, "j", false},
		"no name":              {func(*testing.T, string) {}, "", false},
		"a name with a NUL":    {func(*testing.T, string) {}, "a\x00b", false},
		"a journal that is in": {nil, "j", true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			dir := t.TempDir()
			if d.dir = filepath.Join(dir, filepath.FromSlash(c.at)); c.at == "" {
				d.dir = ""
			}
			if c.make != nil {
				c.make(t, dir)
			} else {
				closeJournal(t, d.open(t))
			}
			before := tree(t, dir)
			err := Check(d.dir, d.options)
			if (err == nil) != c.ok {
				t.Errorf("Check: %v", err)
			}
			if after := tree(t, dir); after != before {
				t.Errorf("it was\n%s\nand is\n%s", before, after)
			}
			j, err := Open(d.dir, d.options)
			if (err == nil) != c.ok {
				t.Errorf("Open: %v", err)
			}
			if err == nil {
				closeJournal(t, j)
			}
		})
	}
}

// TestCheckWhileOpen: a new configuration can be checked while the old one serves.
func TestCheckWhileOpen(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	if err := Check(d.dir, d.options); err != nil {
		t.Error(err)
	}
	closeJournal(t, j)
}

func mkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := os.Mkdir(dir, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Skip(err)
	}
}

// tree is what is below a folder.
func tree(t *testing.T, dir string) (all string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all += path + "\n"
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
