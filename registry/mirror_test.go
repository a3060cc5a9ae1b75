package registry_test

import (
	"context"
	"encoding/json"
	"path/filepath"
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
			refs = append(refs, there.Reference.String())
			if _, err := source.Mirror(ctx, a, found, layout); err != nil { // again, nothing is added
				t.Fatal(err)
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
