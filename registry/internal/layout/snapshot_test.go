package layout

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/registry/internal/store"
)

// TestSnapshot: the index is read once, and all manifests once; answers are those of the layout.
func TestSnapshot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "l")
	if err := Create(dir); err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest := func(subject *ocispec.Descriptor, said string) store.Item {
		data, err := json.Marshal(ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON,
			Layers: []ocispec.Descriptor{ocispec.DescriptorEmptyJSON}, Subject: subject, Annotations: map[string]string{"said": said},
		})
		if err != nil {
			t.Fatal(err)
		}
		return store.NewItem(ocispec.MediaTypeImageManifest, data)
	}
	one, other := manifest(nil, "one"), manifest(nil, "other")
	referrer := manifest(&one.Descriptor, "referrer")
	err = l.Add(t.Context(), []store.Addition{
		{Declaration: &store.Declared{Manifest: one, Tag: "one"}, Subject: one.Digest, Referrers: []store.Referrer{{Bundle: store.EmptyConfig(), Manifest: referrer}}},
		{Declaration: &store.Declared{Manifest: other, Tag: "other"}, Subject: other.Digest},
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	now, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ocispec.ImageIndexFile), []byte(`{"schemaVersion":2,"manifests":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", one.Digest.String()} {
		if d, data, err := now.Resolve(t.Context(), name); err != nil || d.Digest != one.Digest || string(data) != string(one.Content) {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	if _, _, err := now.Resolve(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a tag that is not there: %v", err)
	}
	for range 2 {
		all, err := now.Referrers(t.Context(), one.Digest, false)
		if err != nil || len(all) != 1 || all[0].Digest != referrer.Digest {
			t.Errorf("referrers %v, %v", all, err)
		}
		none, err := now.Referrers(t.Context(), other.Digest, false)
		if err != nil || len(none) != 0 {
			t.Errorf("referrers of another %v, %v", none, err)
		}
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(blobName(referrer.Digest)))); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if _, _, err := l.Resolve(t.Context(), "one"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the layout itself is read anew: %v", err)
	}
}
