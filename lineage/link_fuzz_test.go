package lineage

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
)

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// FuzzRead: what is read is what New writes, and reads as the same again.
func FuzzRead(f *testing.F) {
	id := runA.String()
	for _, seed := range []string{
		`{"identity":"` + id + `","relation":"produced"}`,
		`{"identity":"` + id + `","relation":"consumed","annotations":{"a":"b"}}`,
		`{"identity":"` + id + `","relation":"container","x":1}`,
		`{"relation":"produced"}`,
		`[]`,
	} {
		f.Add([]byte(seed), "model.bin")
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		form, err := canonical.Options{ExactNumbers: true, MaxDepth: 8}.Append(nil, data)
		if err != nil {
			return
		}
		l, err := read(form, []attest.Subject{{Name: name, SHA256: [32]byte{1}}})
		if err != nil {
			return
		}
		c, err := NewLink(l)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		b := forge(t, string(c.Bytes()))
		if got := b.UnverifiedPredicateType(); got != LinkType {
			t.Fatalf("predicate type %q", got)
		}
		again, err := NewLink(l)
		if err != nil || string(again.Bytes()) != string(c.Bytes()) {
			t.Fatalf("written twice: %v", err)
		}
		reread, err := read(predicateOf(t, c), l.Artifacts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, reread, cmp.Comparer(func(a, b identity.ID) bool { return a == b })); diff != "" {
			t.Fatalf("written and read again:\n%s", diff)
		}
	})
}

func predicateOf(t *testing.T, c *attest.Claim) []byte {
	t.Helper()
	root, err := jsontree.Parse(c.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return root.Get("predicate").Raw()
}
