package identity_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/vectors"
)

func seed(f *testing.F) {
	f.Helper()
	for _, v := range vectors.Load(f, "identity/valid", "identity/invalid") {
		f.Add(v.Body)
	}
	files, err := filepath.Glob(filepath.Join(vectors.Root(f), "declarations", "*.*"))
	if err != nil || len(files) == 0 {
		f.Fatal("no declarations to begin with", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

func isTooLarge(err error) bool {
	invalid, ok := errors.AsType[*identity.InvalidError](err)
	return ok && invalid.Problems[0].Code == identity.CodeSize
}

// checkDeclaration holds what is true of every declaration, however it was written.
func checkDeclaration(t *testing.T, d *identity.Declaration) {
	t.Helper()
	again, err := identity.Parse(d.Canonical())
	if err != nil {
		t.Fatalf("the canonical form is refused: %v\n%s", err, d.Canonical())
	}
	if again.ID() != d.ID() || !bytes.Equal(again.Canonical(), d.Canonical()) {
		t.Fatal("the canonical form has another identity, or another form")
	}
	if built, err := identity.Build(d.Run()); err != nil || built.ID() != d.ID() {
		t.Fatalf("built of its own parts it is %s, %v:\n%s\n%s", built.ID(), err, d.Canonical(), built.Canonical())
	}
	if id, err := identity.Compute(d.Canonical()); err != nil || id != d.ID() {
		t.Fatalf("Compute gives %v, %v", id, err)
	}
	if form, err := canonical.Transform(d.Canonical()); err != nil || !bytes.Equal(form, d.Canonical()) {
		t.Fatalf("not canonical: %v", err)
	}
	fromYAML, err := identity.ParseYAML(d.Canonical())
	if err == nil && fromYAML.ID() != d.ID() {
		t.Fatalf("read as YAML it is another run:\n%s\n%s", d.Canonical(), fromYAML.Canonical())
	}
	read, err := identity.ParseYAML(d.YAML())
	switch {
	case isTooLarge(err): // escapes may take more bytes than a text in YAML may have
	case err != nil:
		t.Fatalf("written as YAML it is refused: %v\n%s", err, d.YAML())
	case read.ID() != d.ID():
		t.Fatalf("written as YAML it is %s:\n%s", read.Canonical(), d.YAML())
	}
	if err := compileSchema(t).Validate(decode(t, d.Canonical())); err != nil {
		t.Fatalf("the JSON Schema refuses it: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	seed(f)
	f.Add([]byte(strings.Replace(minimal, `{"name":"m"}`, `{"name":"m","version":"`+strings.Repeat("\u0085", 500_000)+`"}`, 1))) // as YAML it is too large
	f.Fuzz(func(t *testing.T, data []byte) {
		identity.Lint(data)
		if d, err := identity.Parse(data); err == nil {
			checkDeclaration(t, d)
		}
	})
}

func FuzzParseYAML(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		identity.LintYAML(data)
		if d, err := identity.ParseYAML(data); err == nil {
			checkDeclaration(t, d)
		}
	})
}

func FuzzParseID(f *testing.F) {
	f.Add("airun:1:sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	f.Add("airun:1:sha256:0")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := identity.ParseID(s); err == nil && id.String() != s {
			t.Fatalf("%q is written back as %q", s, id)
		}
	})
}
