package remote

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/registry/internal/store"
)

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

func isImageType(t string) bool {
	return t == ocispec.MediaTypeImageManifest || t == store.DockerManifest
}

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
	case own == "" && (store.IsIndex(said) && !isIndex || isImageType(said) && !isImage): // such as an error
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
		store.IsIndex(own) && isImage, isImageType(own) && isIndex:
		return "", fmt.Errorf("the manifest says that it is of media type %q, and has members of another", own)
	default:
		return own, nil
	}
}
