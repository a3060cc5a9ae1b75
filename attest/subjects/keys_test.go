package subjects

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/signer"
)

func TestPrivateKeys(t *testing.T) {
	pair, err := signer.Generate(signer.Algorithms()[0], []byte("a password"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	private, public := filepath.Join(dir, "a.key"), filepath.Join(dir, "a.pub")
	for path, text := range map[string][]byte{private: pair.Private, public: pair.Public} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := maps.Collect(PrivateKeys(public, private, dir, filepath.Join(dir, "none")))
	want := map[string]string{private: signer.PrivateKeyIn(pair.Private)}
	if diff := cmp.Diff(want, got); diff != "" || want[private] == "" {
		t.Errorf("%s", diff)
	}
}
