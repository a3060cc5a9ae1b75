package gate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/registry"
)

// Files are read before repositories, and what cannot be opened is an error with the name of its place.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.sigstore.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := errors.New("closed")
	p := gate.Places{Open: func(registry.Reference) (*registry.Target, error) { return nil, closed }}
	var names []string
	var last error
	for in, err := range p.Lineage("oci://registry.example/runs", dir).Lineage(context.Background(), nil) {
		names = append(names, filepath.Base(in.Name))
		last = err
	}
	if want := []string{"a.sigstore.json", "runs"}; !slices.Equal(names, want) || !errors.Is(last, closed) {
		t.Errorf("%q, %v, want %q and that the repository is closed", names, last, want)
	}
}
