package registry_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry"
)

// TestByContentInRegistry: where a registry has a manifest is not told by what a list says of it, and what may be a bundle and
// cannot be read is malformed.
func TestByContentInRegistry(t *testing.T) {
	const spdx = "application/spdx+json"
	for name, c := range map[string]struct {
		mediaType                 string
		edit                      func(string) string
		found, foreign, malformed int
	}{
		"as it is":              {ocispec.MediaTypeImageManifest, nil, 1, 0, 0},
		"listed as another":     {spdx, nil, 1, 0, 0},
		"and escaped":           {spdx, func(m string) string { return strings.ReplaceAll(m, "/", `\/`) }, 1, 0, 0},
		"a member twice":        {spdx, func(m string) string { return strings.Replace(m, "{", `{"artifactType":"x",`, 1) }, 0, 0, 1},
		"in another spelling":   {spdx, func(m string) string { return strings.ReplaceAll(m, "sigstore", "SigStore") }, 0, 0, 1},
		"of another kind":       {spdx, func(m string) string { return strings.ReplaceAll(m, "image.manifest", "artifact.manifest") }, 0, 0, 1},
		"and what it has":       {spdx, func(m string) string { return strings.ReplaceAll(m, `"layers"`, `"blobs"`) }, 0, 0, 1},
		"nothing like a bundle": {spdx, func(m string) string { return strings.ReplaceAll(m, "sigstore.bundle", "x") }, 0, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, false)
			artifact := s.artifact()
			target, a := resolve(t, s.host+"/app:v1")
			layer := s.bundleLayerOf(string(sign(t, 1, attest.StatementOptions{}, a)))
			s.put("blob", "", "", []byte(`{}`))
			m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: spdx,
				Config: ocispec.Descriptor{MediaType: ocispec.MediaTypeEmptyJSON, Digest: digest.FromString("{}"), Size: 2},
				Layers: []ocispec.Descriptor{layer}, Subject: &artifact}
			text := string(encode(t, m))
			if c.edit != nil {
				text = c.edit(text)
			}
			sum := s.put("manifest", "", m.MediaType, []byte(text))
			list := ocispec.Index{Versioned: m.Versioned, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{
				{MediaType: c.mediaType, Digest: digest.Digest(sum), Size: int64(len(text)), ArtifactType: spdx},
			}}
			s.put("manifest", strings.Replace(a.Digest(), ":", "-", 1), list.MediaType, encode(t, list))
			l, err := target.ListByContent(t.Context(), a, func(string) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			found, malformed := 0, 0
			for _, err := range l.Bundles(t.Context()) {
				switch {
				case err == nil:
					found++
				case errors.As(err, new(*registry.MalformedError)):
					malformed++
				default:
					t.Error(err)
				}
			}
			if found != c.found || malformed != c.malformed || l.Foreign() != c.foreign {
				t.Errorf("%d found, %d malformed, %d foreign, want %+v", found, malformed, l.Foreign(), c)
			}
		})
	}
}

// TestByContentSize: what is attached to one artifact, or to all runs that are read, has a bounded size, of whatever types it is.
// The layers here are not there, so that nothing large is read.
func TestByContentSize(t *testing.T) {
	const fit = limits.ApprovalsSize/limits.RegistryContent - 1 // besides the manifests
	for name, c := range map[string]struct {
		ofFirst, ofSecond int
		over              bool
	}{
		"one artifact":                {fit, 0, false},
		"one artifact with too much":  {fit + 1, 0, true},
		"two runs":                    {fit / 2, fit - fit/2, false},
		"two runs, together too much": {fit, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "layout")
			if err := registry.CreateLayout(dir); err != nil {
				t.Fatal(err)
			}
			target := open(t, "oci-layout://"+dir)
			runs := []*identity.Declaration{declare(t, 1), declare(t, 2)}
			for i, n := range []int{c.ofFirst, c.ofSecond} {
				if _, _, err := target.PushRun(t.Context(), runs[i]); err != nil {
					t.Fatal(err)
				}
				_, a := resolve(t, "oci-layout://"+dir+"@"+runs[i].ID().String())
				subject := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(a.Digest()), Size: int64(len(a.Manifest()))}
				entries := layoutIndex(t, dir).Manifests
				for j := range n {
					data := encode(t, ocispec.Manifest{
						Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON, Subject: &subject,
						Layers: []ocispec.Descriptor{{MediaType: attest.BundleMediaType, Digest: digest.FromString(fmt.Sprint(i, j)), Size: limits.RegistryContent}},
					})
					entries = append(entries, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: writeBlob(t, dir, data), Size: int64(len(data))})
				}
				writeIndex(t, dir, entries...)
			}
			malformed, over := 0, false
			note := func(err error) {
				if errors.As(err, new(*registry.MalformedError)) {
					malformed++
				} else if err != nil {
					over = strings.Contains(err.Error(), fmt.Sprintf("more than %d bytes", limits.ApprovalsSize))
				}
			}
			for _, err := range target.Runs(t.Context(), registry.RunsOptions{Of: []identity.ID{runs[0].ID(), runs[1].ID()}, ByContent: func(string) bool { return true }}) {
				note(err)
			}
			if over != c.over || !over && malformed != c.ofFirst+c.ofSecond {
				t.Errorf("runs: over %v, want %v; %d malformed", over, c.over, malformed)
			}
			if c.ofSecond > 0 {
				return
			}
			_, a := resolve(t, "oci-layout://"+dir+"@"+runs[0].ID().String())
			l, err := target.ListByContent(t.Context(), a, func(string) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			malformed, over = 0, false
			for _, err := range l.Bundles(t.Context()) {
				note(err)
			}
			if over != c.over || !over && malformed != c.ofFirst {
				t.Errorf("one artifact: over %v, want %v; %d malformed", over, c.over, malformed)
			}
			if l, err = target.ListAll(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			malformed, over = 0, false
			for _, err := range l.Bundles(t.Context()) {
				note(err)
			}
			if over || malformed != c.ofFirst {
				t.Errorf("all: over %v; %d malformed", over, malformed)
			}
		})
	}
}
