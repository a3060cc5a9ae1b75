package gate_test

import (
	"bytes"
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

// An artifact is what a reference names, a subject as it is written, or a file.
func TestPlacesArtifact(t *testing.T) {
	const hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of abc
	path := filepath.Join(t.TempDir(), "model")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := errors.New("closed")
	open := func(registry.Reference) (*registry.Target, error) { return nil, closed }
	resolved := errors.New("resolved")
	resolve := func(context.Context, string) (*registry.Artifact, error) { return nil, resolved }
	for _, c := range []struct {
		places gate.Places
		name   string
		isFile bool
		want   string // "" for an error
		err    error  // nil for any
	}{
		{gate.Places{Open: open, Resolve: resolve}, path, true, "model@sha256:" + hex, nil},
		{gate.Places{Open: open, Resolve: resolve}, "a@sha256:" + hex, false, "a@sha256:" + hex, nil},
		{gate.Places{Open: open}, "a@sha256:12", false, "", nil},
		{gate.Places{Open: open}, path + "s", true, "", os.ErrNotExist},
		{gate.Places{Open: open}, "oci://registry.example/a:1", false, "", closed},
		{gate.Places{Open: open}, "oci://registry.example/a@sha256:" + hex, false, "", closed},
		{gate.Places{Open: open, Resolve: resolve}, "oci://registry.example/a:1", false, "", resolved},
		{gate.Places{Open: open}, "oci://", false, "", registry.ErrReference},
	} {
		var hashed bytes.Buffer
		got, err := c.places.Artifact(t.Context(), c.name, &hashed)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want || !errors.Is(err, c.err) && c.err != nil || gate.IsFile(c.name) != c.isFile {
			t.Errorf("%s: %s, %v, want %q, %v", c.name, got, err, c.want, c.err)
		}
		if isHashed := hashed.String() == "abc"; isHashed != (c.isFile && err == nil) {
			t.Errorf("%s: hashed %q", c.name, &hashed)
		}
	}
}
