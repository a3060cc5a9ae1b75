package files_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/bundletest"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

const run = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`

// bundleOf signs the run with a new key.
func bundleOf(t *testing.T) []byte {
	t.Helper()
	by := keytest.New(t, signer.ECDSAP256)
	return bundletest.Text(t, bundletest.Run(t, by, bundletest.Declare(t, run), attest.StatementOptions{}))
}

func TestOneBundle(t *testing.T) {
	bundle := string(bundleOf(t))
	for _, c := range []struct {
		name, text  string
		want        string // "" for a bundle
		declaration bool
		notBundle   bool
	}{
		{"one", bundle + "\n", "", false, false},
		{"two", bundle + "\n" + bundle + "\n", "holds several bundles, want one", false, false},
		{"declaration", run, "is a declaration and no bundle", true, true},
		{"yaml", "schema: " + identity.Schema + "\n", "is a declaration and no bundle", true, true},
		{"NUL", "\x00\n", "is NUL bytes alone and no bundle", false, true},
		{"not JSON", "bundle", "invalid JSON", false, true},
		{"damaged", strings.Replace(bundle, `"mediaType":"application/vnd.dev`, `"mediaType":"application/vnd.deu`, 1), "mediaType", false, false},
	} {
		path := filepath.Join(t.TempDir(), "b.sigstore.jsonl")
		if c.name != "two" {
			path = strings.TrimSuffix(path, "l")
		}
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := files.OneBundle(path, nil)
		if c.want == "" {
			if err != nil || b == nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		other, ok := errors.AsType[*files.NotBundleError](err)
		if err == nil || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), c.want) || ok != c.notBundle || ok && other.IsDeclaration() != c.declaration {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if got := files.NotBundle([]byte(c.text)); (got != nil) != (c.notBundle) {
			t.Errorf("%s: plainly no bundle: %v", c.name, got)
		}
	}
}

func TestOneDeclaration(t *testing.T) {
	d, err := files.OneDeclaration("-", strings.NewReader(run))
	if err != nil || d.Kind() != identity.Inference {
		t.Fatalf("%v, %v", d, err)
	}
	for text, want := range map[string]string{
		"":                   "standard input",
		run + "\n" + run:     "holds several declarations",
		string(bundleOf(t)):  "is a bundle and no declaration",
		"# Title\n\nA text.": "Markdown",
		"AGE-SECRET-KEY-1" + strings.Repeat("Q", 58): "no declaration",
	} {
		if _, err := files.OneDeclaration("-", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", text, err, want)
		}
	}
}

func TestLint(t *testing.T) {
	problems, err := files.Lint(files.Text{Data: []byte(run)})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if p.Severity == identity.Error {
			t.Errorf("%v", p)
		}
	}
	if _, err := files.Lint(files.Text{Data: bundleOf(t)}); err == nil {
		t.Error("a bundle has problems, want an error that says what it is")
	}
}

func TestOpenSet(t *testing.T) {
	if _, _, err := files.OpenSet("-", strings.NewReader(run)); !errors.Is(err, files.ErrNotSet) {
		t.Errorf("%v", err)
	}
}

func ExampleOneBundle() {
	_, err := files.OneBundle("-", strings.NewReader(run))
	fmt.Println(err)
	// Output: standard input: is a declaration and no bundle
}
