package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
)

// The annotations by which Sigstore's clients know what a referrer holds.
const (
	contentAnnotation   = "dev.sigstore.bundle.content"
	predicateAnnotation = "dev.sigstore.bundle.predicateType"

	dsseContent = "dsse-envelope"
)

// item is a piece of content with its descriptor.
type item struct {
	ocispec.Descriptor
	data []byte
}

func newItem(mediaType string, data []byte) item {
	return item{ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}, data}
}

// emptyConfig is the config of a manifest that has none, as the image specification has it.
func emptyConfig() item { return newItem(ocispec.MediaTypeEmptyJSON, []byte(`{}`)) }

// newReferrer is the manifest that hangs a bundle on an artifact, in cosign's form.
func newReferrer(subject ocispec.Descriptor, layer ocispec.Descriptor, predicateType string, created time.Time) (item, error) {
	config := emptyConfig().Descriptor
	config.ArtifactType = attest.BundleMediaType
	return packManifest(ocispec.Manifest{
		ArtifactType: attest.BundleMediaType,
		Config:       config,
		Layers:       []ocispec.Descriptor{layer},
		Subject:      &ocispec.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
		Annotations: map[string]string{
			ocispec.AnnotationCreated: created.UTC().Format(time.RFC3339),
			contentAnnotation:         dsseContent,
			predicateAnnotation:       predicateType,
		},
	})
}

// packManifest gives the manifest with a descriptor that says what a list of referrers says.
func packManifest(m ocispec.Manifest) (item, error) {
	m.Versioned = specs.Versioned{SchemaVersion: 2}
	m.MediaType = ocispec.MediaTypeImageManifest
	data, err := json.Marshal(m)
	if err != nil {
		return item{}, err
	}
	packed := newItem(m.MediaType, data)
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
	case m.Layers[0].MediaType != attest.BundleMediaType:
		return ocispec.Descriptor{}, fmt.Errorf("the layer is of media type %q, want %s", m.Layers[0].MediaType, attest.BundleMediaType)
	}
	return m.Layers[0], nil
}

// readManifest reads an image manifest; other media types have no layers to look at.
func readManifest(data []byte) (*ocispec.Manifest, error) {
	var m ocispec.Manifest
	if err := unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if m.MediaType != ocispec.MediaTypeImageManifest && m.MediaType != "" { // which OCI lets a manifest leave out
		return nil, fmt.Errorf("manifest is of media type %q, want %s", m.MediaType, ocispec.MediaTypeImageManifest)
	}
	return &m, nil
}

// isManifest says that content of a media type is a manifest and no blob. What lists of referrers name without a type
// of their own is one, too.
func isManifest(mediaType string) bool {
	return isGeneric(mediaType) && !strings.HasPrefix(mediaType, "text/") || slices.Contains(manifestTypes, mediaType)
}

// isGeneric tells a media type that says nothing of what a manifest is, as servers of files send it.
func isGeneric(mediaType string) bool {
	switch mediaType {
	case "", "application/json", "application/octet-stream", "binary/octet-stream":
		return true
	}
	return strings.HasPrefix(mediaType, "text/")
}

func isIndexType(t string) bool { return t == ocispec.MediaTypeImageIndex || t == dockerList }
func isImageType(t string) bool { return t == ocispec.MediaTypeImageManifest || t == dockerManifest }

// mediaTypeOf is the media type of a manifest that is served with a Content-Type. The digest covers what the
// manifest says of itself, and not the header: the header counts where the manifest says nothing.
func mediaTypeOf(header string, manifest []byte) (string, error) {
	said, _, _ := mime.ParseMediaType(header)
	var m struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     string          `json:"mediaType"`
		Config        json.RawMessage `json:"config"`
		Layers        json.RawMessage `json:"layers"`
		Manifests     json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return "", fmt.Errorf("the manifest is served as %q and is not a JSON object: %w", said, err)
	}
	isIndex, isImage := m.Manifests != nil, m.Config != nil || m.Layers != nil
	switch own := m.MediaType; {
	case own == "" && (isIndexType(said) && !isIndex || isImageType(said) && !isImage): // such as an error
		return "", fmt.Errorf("the manifest is served as %q and has no members of one", said)
	case own == "" && !isGeneric(said):
		return said, nil
	case own == "" && isIndex && !isImage:
		return ocispec.MediaTypeImageIndex, nil
	case own == "" && isImage && !isIndex:
		return ocispec.MediaTypeImageManifest, nil
	case own == "":
		return "", fmt.Errorf("the manifest is served as %q and does not say what it is: want a mediaType", said)
	case isGeneric(own),
		isIndexType(own) && isImage, isImageType(own) && isIndex:
		return "", fmt.Errorf("the manifest says that it is of media type %q, and has members of another", own)
	default:
		return own, nil
	}
}

// unmarshal reads descriptors. It refuses lists of next to nothing, which take sixty times the memory of
// their text.
func unmarshal(data []byte, v any) error {
	if n := bytes.Count(data, []byte(",")); n > 10_000+len(data)/16 {
		return fmt.Errorf("%d commas in %d bytes: no such lists are read", n, len(data))
	}
	return json.Unmarshal(data, v)
}

// checkSize refuses what is too large, or no content at all, before it is fetched.
func checkSize(d ocispec.Descriptor) error {
	if err := d.Digest.Validate(); err != nil {
		return &descriptorError{fmt.Sprintf("digest %q: %s", d.Digest, err)}
	}
	if d.Size < 0 || d.Size > limits.RegistryContent {
		return &descriptorError{fmt.Sprintf("%s has %d bytes, want at most %d", d.Digest, d.Size, limits.RegistryContent)}
	}
	return nil
}

// descriptorError says that what a descriptor names is not to be fetched.
type descriptorError struct{ text string }

func (e *descriptorError) Error() string { return e.text }

// wrongDescriptor is about content that is there, and is not what a descriptor says.
func wrongDescriptor(said, there ocispec.Descriptor) error {
	if said.Size != there.Size {
		return &descriptorError{fmt.Sprintf("%s has %d bytes, and is said to have %d", said.Digest, there.Size, said.Size)}
	}
	return &descriptorError{fmt.Sprintf("%s is of media type %q, and is said to be of %q", said.Digest, there.MediaType, said.MediaType)}
}
