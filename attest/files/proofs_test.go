package files_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// TestWriteProofs writes a proof of each run that can be proved, and none beside those of another set.
func TestWriteProofs(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	by, err := signer.Parse(pair.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	runs := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for _, name := range []string{"a", "b", "c"} {
				d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"other","model":{"name":%q},"prompt":{},"parameters":{},"context":[],"constraints":{}}`, identity.Schema, name))
				var s *attest.Statement
				if err == nil {
					s, err = attest.New(d, attest.StatementOptions{})
				}
				if !yield(s, err) {
					return
				}
			}
		}
	}
	var text bytes.Buffer
	sign := func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, by, attest.SignOptions{})
	}
	if _, err := runset.Write(t.Context(), &text, runs, runset.WriteOptions{Sign: sign}); err != nil {
		t.Fatal(err)
	}
	set, err := runset.Open(bytes.NewReader(text.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	told := 0
	if n, err := files.WriteProofs(t.Context(), set, dir, func(error) { told++ }); n != 3 || told != 3 || err != nil {
		t.Errorf("%d written, %d told, %v", n, told, err)
	}
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"0.runproof.json", "1.runproof.json", "2.runproof.json"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%q, %v, want %q", names, err, want)
	}
	if n, err := files.WriteProofs(t.Context(), set, dir, nil); n != 0 || !errors.As(err, new(*files.ProofsError)) {
		t.Errorf("%d written, %v, want that there are proofs", n, err)
	}
}
