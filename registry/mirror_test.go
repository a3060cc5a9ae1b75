package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	ours "github.com/runattest/runattest/registry"
)

// A mirror has what verification asks for, byte for byte. What lies there under the same tag is not lost:
// its digest finds it.
func TestMirror(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		dir := filepath.Join(t.TempDir(), "usb")
		if err := ours.CreateLayout(dir); err != nil {
			t.Fatal(err)
		}
		layout := open(t, "oci-layout://"+filepath.ToSlash(dir))
		ctx := context.Background()
		var refs []string
		for seed, note := range []string{"one", "two"} {
			var m ocispec.Manifest
			s.artifact()
			_, v1 := resolve(t, s.host+"/app:v1")
			if err := json.Unmarshal(v1.Manifest(), &m); err != nil {
				t.Fatal(err)
			}
			m.Annotations = map[string]string{"note": note}
			s.put("manifest", "v1", m.MediaType, encode(t, m))
			ref := s.host + "/app:v1"
			attach(t, ref, seed, seed+10)
			found, _, errs := fetchAll(t, ref)
			source, a := resolve(t, ref)
			there, err := source.Mirror(ctx, a, found, layout)
			if err != nil || len(errs) > 0 || there.Digest() != a.Digest() {
				t.Fatal(there, err, errs)
			}
			if seed == 0 && there.Displaced != "" || seed == 1 && !strings.HasSuffix(refs[0], "@"+there.Displaced) {
				t.Errorf("%s: displaced %q", note, there.Displaced)
			}
			refs = append(refs, there.Reference.String())
			if again, err := source.Mirror(ctx, a, found, layout); err != nil || again.Displaced != "" { // again, nothing is added
				t.Fatal(again, err)
			}
			if _, err := source.Mirror(ctx, a, found, source); err == nil {
				t.Error("a registry took a manifest without its layers")
			}
		}
		for _, ref := range refs {
			found, _, errs := fetchAll(t, ref)
			if len(found) != 2 || len(errs) > 0 {
				t.Errorf("%s: %d bundles and %v, want 2", ref, len(found), errs)
			}
		}
		if _, newest := resolve(t, "oci-layout://"+filepath.ToSlash(dir)+":v1"); newest.Reference.String() != refs[1] {
			t.Errorf("v1 is %s, want %s", newest.Reference, refs[1])
		}
	})
}

// A run takes its declaration along.
func TestMirrorRun(t *testing.T) {
	s := newServer(t, true)
	d := declare(t, 1)
	runs := open(t, s.host+"/runs")
	if _, _, err := runs.PushRun(context.Background(), d, sign(t, 1, attest.StatementOptions{})); err != nil {
		t.Fatal(err)
	}
	ref := s.host + "/runs@" + d.ID().String()
	found, _, errs := fetchAll(t, ref)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	dir := filepath.Join(t.TempDir(), "usb")
	if err := ours.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	source, a := resolve(t, ref)
	if _, err := source.Mirror(context.Background(), a, found, open(t, "oci-layout://"+filepath.ToSlash(dir))); err != nil {
		t.Fatal(err)
	}
	there, mirrored := resolve(t, "oci-layout://"+filepath.ToSlash(dir)+"@"+d.ID().String())
	got, err := there.Declaration(context.Background(), mirrored)
	if err != nil || got.ID() != d.ID() {
		t.Errorf("%v, %v: want the declaration of %s", got, err, d.ID())
	}
}

// TestMirrorByLabel: a bundle is found in a mirror by the labels of each referrer that holds it, whichever comes first, and what is
// interrupted is not a mirror.
func TestMirrorByLabel(t *testing.T) {
	s := newServer(t, false)
	artifact := s.artifact()
	ref := s.host + "/app:v1"
	source, a := resolve(t, ref)
	bundle := sign(t, 1, attest.StatementOptions{}, a)
	layer := s.bundleLayerOf(string(bundle))
	for _, annotations := range []map[string]string{{"dev.sigstore.bundle.predicateType": "https://spdx.dev/Document"}, nil} {
		s.refer(artifact, ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{layer}, Annotations: annotations})
	}
	list, err := source.ListForMirror(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	var found []*ours.Found
	for f, err := range list.Bundles(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, f)
	}
	dir := filepath.Join(t.TempDir(), "usb")
	if err := ours.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	layout := open(t, "oci-layout://"+filepath.ToSlash(dir)+"@"+a.Digest())
	if err := source.MirrorPart(t.Context(), a, found[:1], layout); err != nil {
		t.Fatal(err)
	}
	if _, err := layout.Resolve(t.Context()); !errors.Is(err, ours.ErrNotFound) {
		t.Errorf("an interrupted mirror has the artifact: %v", err)
	}
	there, err := source.Mirror(t.Context(), a, found[1:], layout)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		*ours.Target
		*ours.Artifact
	}{{source, a}, {layout, there}} {
		l, err := at.List(t.Context(), at.Artifact, attest.PredicateType)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range l.Bundles(t.Context()) {
			if n++; err != nil {
				t.Error(err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d bundles by label, want 1", at.Target.Reference(), n)
		}
	}
}
