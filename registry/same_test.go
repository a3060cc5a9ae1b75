package registry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// A bundle with a newline at its end is the bundle without: it is stored once, and given once.
func TestSameBundleWithNewline(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		subject := s.artifact()
		ref := s.host + "/app:v1"
		target, a := resolve(t, ref)
		bundle := strings.TrimSpace(string(sign(t, 1, attest.StatementOptions{}, a)))
		for _, end := range []string{"", "\n"} { // oras attach stores a file as it is
			s.refer(subject, ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{s.bundleLayerOf(bundle + end)}})
		}
		if found, l, errs := fetchAll(t, ref); len(found) != 1 || l.Repeated() != 1 || len(errs) > 0 {
			t.Errorf("%d found, %d repeated, %v", len(found), l.Repeated(), errs)
		}
		other := strings.TrimSpace(string(sign(t, 2, attest.StatementOptions{}, a)))
		layer := s.bundleLayerOf(other + "\n")
		s.refer(subject, ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{layer}})
		for _, end := range []string{"", "\n", "\r\n"} {
			attached, err := target.Attach(context.Background(), a, []byte(other+end))
			if err != nil || !attached[0].Existed || attached[0].Bundle != layer.Digest.String() {
				t.Errorf("%q: %+v, %v", end, attached, err)
			}
		}
		if both, err := target.Attach(context.Background(), a, sign(t, 3, attest.StatementOptions{}, a), append(sign(t, 3, attest.StatementOptions{}, a), '\n')); err != nil || both[0].Referrer != both[1].Referrer {
			t.Errorf("%+v, %v", both, err)
		}
	})
}

// An index without attestations whose platforms have some tells which.
func TestAttestedPlatforms(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		one := s.artifact()
		two := s.manifest("v2", ocispec.Manifest{ArtifactType: "application/vnd.acme.other", Layers: []ocispec.Descriptor{blob("weights")}})
		attach(t, s.host+"/app:v1", 1, 2)
		one.Platform, two.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, &ocispec.Platform{OS: "linux", Architecture: "amd64"}
		index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{two, one}}
		index.SchemaVersion = 2
		s.put("manifest", "all", index.MediaType, encode(t, index))
		target, a := resolve(t, s.host+"/app:all")
		got := target.AttestedPlatforms(context.Background(), a)
		if len(got) != 1 || got[0].Name != "linux/arm64/v8" || got[0].Attestations != 2 || got[0].Reference.String() != "oci://"+s.host+"/app@"+one.Digest.String() {
			t.Errorf("%+v", got)
		}
		if _, a := resolve(t, s.host+"/app:v1"); target.AttestedPlatforms(context.Background(), a) != nil {
			t.Error("a manifest has no platforms")
		}
	})
}

// A hint is not worth waiting for.
func TestAttestedPlatformsAreBounded(t *testing.T) {
	s := newServer(t, true)
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	index.SchemaVersion = 2
	for i := range 1000 {
		index.Manifests = append(index.Manifests, ocispec.Descriptor{MediaType: "x/y", Digest: digest.FromString(strings.Repeat("x", i)), Size: 1})
	}
	s.put("manifest", "all", index.MediaType, encode(t, index))
	target, err := registry.Open(parse(t, s.host+"/app:all"), registry.Options{Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, a := resolve(t, s.host+"/app:all") // with all the time that it takes
	slow(s, 250*time.Millisecond)
	start := time.Now()
	target.AttestedPlatforms(context.Background(), a)
	if took := time.Since(start); took > 20*time.Second || s.count("GET referrers") > 40 {
		t.Errorf("%d questions in %s", s.count("GET referrers"), took)
	}
}

// This machine has many names.
func TestThisMachine(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	_, port, _ := strings.Cut(s.host, ":")
	if _, err := open(t, "LOCALHOST:"+port+"/app:v1").Resolve(context.Background()); err != nil {
		t.Error(err)
	}
}
