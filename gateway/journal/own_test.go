package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// linkOut moves a file of the journal out of it, or makes one outside, and puts a link in its place.
func (d *desk) linkOut(t *testing.T, name string, text []byte) (outside string) {
	t.Helper()
	outside = filepath.Join(t.TempDir(), "outside")
	path := filepath.Join(d.dir, name)
	if data, err := os.ReadFile(path); err == nil && text == nil {
		text = data
	}
	if err := os.WriteFile(outside, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeIfThere(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, path); err != nil {
		t.Fatal(err)
	}
	return outside
}

// TestLinks: what a link in the folder leads to is not changed. Where it stands in the place of a file that is written, Open and Check
// refuse it.
func TestLinks(t *testing.T) {
	zeros := make([]byte, 4096)
	for name, c := range map[string]struct {
		file string
		text []byte // of the file outside; nil for what the journal's has
		ok   bool
	}{
		"the last segment":                      {linesName(3), nil, false},
		"the last segment, zero bytes":          {linesName(3), zeros, false},
		"the last segment, a torn line":         {linesName(3), []byte("{\"body\":{\"sha256\":"), false},
		"the last segment, another text":        {linesName(3), []byte("a text\n"), false},
		"a segment behind it":                   {linesName(4), zeros, false},
		"its declarations":                      {declarationsName(3), nil, false},
		"its declarations, longer":              {declarationsName(3), bytes.Repeat([]byte("x"), 100_000), false},
		"declarations of a segment behind it":   {declarationsName(4), []byte("x"), true}, // which has no lines
		"the lock":                              {lockName, []byte("x"), false},
		"the next segment's files":              {spareLines, []byte("x"), true},
		"the next segment's declarations":       {spareDeclarations, []byte("x"), true},
		"a segment that was closed and signed":  {linesName(1), nil, true},
		"the last one that was signed":          {linesName(2), nil, true},
		"declarations of one that was signed":   {declarationsName(1), nil, true},
		"the bundle of one that was signed":     {bundleName(2), nil, true},
		"the journal's id":                      {idName, nil, true},
		"a file that is none of the journal's":  {"notes.txt", []byte("x"), true},
		"the next segment's, while it is there": {"spare.jsonl", zeros, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.written(t)
			outside := d.linkOut(t, c.file, c.text)
			before, err := os.ReadFile(outside)
			if err != nil {
				t.Fatal(err)
			}
			inside := tree(t, d.dir)
			if err := Check(d.dir, d.options); (err == nil) != c.ok || err != nil && !errors.Is(err, errLink) {
				t.Errorf("Check: %v", err)
			}
			for _, accept := range []bool{false, true} {
				d.options.AcceptDamage = accept
				j, err := Open(d.dir, d.options)
				if (err == nil) != c.ok || err != nil && !errors.Is(err, errLink) {
					t.Errorf("Open, damage accepted %v: %v", accept, err)
				}
				if err == nil {
					add(t, j, d.entry(t, 20, true))
					closeJournal(t, j)
				}
			}
			if after := tree(t, d.dir); !c.ok && after != inside {
				t.Errorf("the folder was\n%s\nand is\n%s", inside, after)
			}
			if after, err := os.ReadFile(outside); err != nil || !bytes.Equal(after, before) {
				t.Errorf("outside were %d bytes, and are %d: %v", len(before), len(after), err)
			}
		})
	}
}

// TestLinkedLock: a lock that is a link to nothing makes no file where it leads.
func TestLinkedLock(t *testing.T) {
	d := newDesk(t)
	closeJournal(t, d.open(t))
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Remove(filepath.Join(d.dir, lockName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(d.dir, lockName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.dir, d.options); !errors.Is(err, errLink) {
		t.Error(err)
	}
	if _, err := os.Lstat(outside); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
}

// TestEraseThroughLink: declarations behind a link are not overwritten, and the link is named.
func TestEraseThroughLink(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	e := d.entry(t, 0, true)
	add(t, j, e)
	closeJournal(t, j)
	outside := d.linkOut(t, declarationsName(1), nil)
	if got, err := Erase(ctx, d.dir, e.Identity); !errors.Is(err, errLink) || got.Declarations != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if data, err := os.ReadFile(outside); err != nil || !bytes.Contains(data, e.Declaration.Canonical()) {
		t.Errorf("%q, %v", data, err)
	}
	d.verified(t, 1, VerifyOptions{}) // which only reads
}

// TestLinkedMeanwhile: a link that takes a file's place while the journal is open is not written through.
func TestLinkedMeanwhile(t *testing.T) {
	for _, name := range []string{linesName(1), declarationsName(1), bundleName(1), spareLines, spareDeclarations} {
		d := newDesk(t)
		j := d.open(t)
		add(t, j, d.entry(t, 0, true))
		waitFor(t, func() bool { return j.spareMade() })
		outside := d.linkOut(t, name, []byte("a text"))
		_ = j.Close(ctx) // may say that it is not signed
		if data, err := os.ReadFile(outside); err != nil || string(data) != "a text" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}
