package signing_test

import (
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/runattest/runattest/attest/signing"
)

// TestBeside: a bundle goes beside its declaration, once for a file that is named twice, and that of standard input there.
func TestBeside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	var read []string
	sources := func(path string) iter.Seq[signing.Source] {
		read = append(read, path)
		return slices.Values([]signing.Source{{Name: path}})
	}
	all := signing.Beside(".sigstore.json", sources, path, "-", filepath.Join(filepath.Dir(path), ".", "run.json"), os.DevNull)
	if len(all) != 3 || !slices.Equal(read, []string{path, "-"}) {
		t.Fatalf("%+v, of %q", all, read)
	}
	if all[0].Target != path+".sigstore.json" || all[0].Several != path+".sigstore.jsonl" || all[1].Target != "-" || all[1].Several != "" {
		t.Errorf("%+v", all)
	}
	for s := range all[2].Sources {
		if s.Err == nil || s.Name != os.DevNull {
			t.Errorf("beside a device: %+v", s)
		}
	}
}

func TestSignedLine(t *testing.T) {
	s := signing.Signed{Identity: "airun:1:sha256:ab", Name: "run.json"}
	if s.Line(false) != "airun:1:sha256:ab" || s.Line(true) != "airun:1:sha256:ab  run.json" {
		t.Errorf("%q, %q", s.Line(false), s.Line(true))
	}
	if s.CustomID = "a\n"; s.Line(false) != `airun:1:sha256:ab  run.json  "a\n"` {
		t.Errorf("%q", s.Line(false))
	}
}
