package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry/internal/store"
)

// The annotations by which Sigstore's clients know what a referrer holds.
const (
	contentAnnotation   = "dev.sigstore.bundle.content"
	predicateAnnotation = "dev.sigstore.bundle.predicateType"

	dsseContent = "dsse-envelope"
)

// newReferrer is the manifest that hangs a bundle on an artifact, in cosign's form. That of a run proof has the same form under
// the proof's media type, and does not say that its content is a bundle of Sigstore's.
func newReferrer(subject ocispec.Descriptor, layer ocispec.Descriptor, predicateType string, created time.Time) (store.Item, error) {
	config := store.EmptyConfig().Descriptor
	config.ArtifactType = layer.MediaType
	annotations := map[string]string{
		ocispec.AnnotationCreated: created.UTC().Format(time.RFC3339),
		predicateAnnotation:       predicateType,
	}
	if layer.MediaType == attest.BundleMediaType {
		annotations[contentAnnotation] = dsseContent
	}
	return packManifest(ocispec.Manifest{
		ArtifactType: layer.MediaType,
		Config:       config,
		Layers:       []ocispec.Descriptor{layer},
		Subject:      &ocispec.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
		Annotations:  annotations,
	})
}

// packManifest gives the manifest with a descriptor that says what a list of referrers says.
func packManifest(m ocispec.Manifest) (store.Item, error) {
	m.Versioned = specs.Versioned{SchemaVersion: 2}
	m.MediaType = ocispec.MediaTypeImageManifest
	data, err := json.Marshal(m)
	if err != nil {
		return store.Item{}, err
	}
	packed := store.NewItem(m.MediaType, data)
	packed.ArtifactType, packed.Annotations = m.ArtifactType, m.Annotations
	return packed, nil
}

// bundleLayer is where a referrer's bundle is, or why the referrer is malformed.
func bundleLayer(manifest []byte, subject digest.Digest) (ocispec.Descriptor, error) {
	m, err := readManifest(manifest)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	switch {
	case m.Subject == nil || m.Subject.Digest != subject:
		return ocispec.Descriptor{}, errors.New("the manifest has another subject")
	case len(m.Layers) != 1:
		return ocispec.Descriptor{}, fmt.Errorf("%d layers, want 1", len(m.Layers))
	case !store.IsBundleType(m.Layers[0].MediaType):
		return ocispec.Descriptor{}, fmt.Errorf("the layer is of media type %q, want %s or %s", m.Layers[0].MediaType, attest.BundleMediaType, attest.RunProofMediaType)
	}
	return m.Layers[0], nil
}

// namesBundle says that a manifest of whatever kind, or the list that names it, has the media type of a bundle for itself or for
// anything that it names. One that cannot be read is an error.
func namesBundle(listed ocispec.Descriptor, manifest []byte) (bool, error) {
	var m struct {
		ArtifactType string               `json:"artifactType"`
		Config       ocispec.Descriptor   `json:"config"`
		Layers       []ocispec.Descriptor `json:"layers"`
		Blobs        []ocispec.Descriptor `json:"blobs"`     // of an artifact manifest
		Manifests    []ocispec.Descriptor `json:"manifests"` // of an index
	}
	if err := store.Unmarshal(manifest, &m); err != nil {
		return false, fmt.Errorf("manifest: %w", err)
	}
	parts := slices.Concat([]ocispec.Descriptor{listed, {ArtifactType: m.ArtifactType}, m.Config}, m.Layers, m.Blobs, m.Manifests)
	return slices.ContainsFunc(parts, func(d ocispec.Descriptor) bool {
		return store.NamesBundle(d.MediaType) || store.NamesBundle(d.ArtifactType)
	}), nil
}

// readManifest reads an image manifest; other media types have no layers to look at.
func readManifest(data []byte) (*ocispec.Manifest, error) {
	var m ocispec.Manifest
	if err := store.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if m.MediaType != ocispec.MediaTypeImageManifest && m.MediaType != "" { // which OCI lets a manifest leave out
		return nil, fmt.Errorf("manifest is of media type %q, want %s", m.MediaType, ocispec.MediaTypeImageManifest)
	}
	return &m, nil
}
