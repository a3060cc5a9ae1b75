package layout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// manifestHead is what a layout's walk needs of a manifest or an index.
type manifestHead struct {
	MediaType    string               `json:"mediaType"`
	ArtifactType string               `json:"artifactType"`
	Config       *ocispec.Descriptor  `json:"config"`
	Subject      *ocispec.Descriptor  `json:"subject"`
	Manifests    []ocispec.Descriptor `json:"manifests"`
	Annotations  map[string]string    `json:"annotations"`
}

// kind is the artifact type, which is the config's media type where none is said.
func (h *manifestHead) kind() string {
	if h.ArtifactType == "" && h.Config != nil {
		return h.Config.MediaType
	}
	return h.ArtifactType
}

// Referrers looks into every manifest of the layout: nothing else in it lists what refers to what.
func (l *Layout) Referrers(ctx context.Context, subject digest.Digest, anyLabel bool) ([]ocispec.Descriptor, error) {
	s, err := l.snapshot()
	if err != nil {
		return nil, err
	}
	return s.Referrers(ctx, subject, anyLabel)
}

// mayHide says that what cannot be read may be an attestation: it claims to be one, or it is there and spoilt,
// and does not say what it is. That something is not there is not enough, as a layout may hold a part of what its indexes name;
// snapshot tells what of it may refer to an artifact.
// With anyLabel it does not matter what the entry says, unless the content is as described and is not a manifest.
func mayHide(d ocispec.Descriptor, err error, anyLabel bool) bool {
	var unfit *store.DescriptorError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.IsBundleType(d.ArtifactType) || store.IsAnnotated(d)
	case anyLabel:
		return store.NamesManifest(d.MediaType) || store.IsSpoilt(err) || errors.As(err, &unfit) && unfit.There
	}
	return store.MayBeBundle(d) && (d.MediaType == ocispec.MediaTypeImageManifest || d.MediaType == ocispec.MediaTypeImageIndex || d.MediaType == "")
}

// walk visits each manifest once, with an error where it is none. Files that the system does not let us
// read end it.
func (l *Layout) walk(ctx context.Context, entries []ocispec.Descriptor, visit func(ocispec.Descriptor, *manifestHead, error)) error {
	seen := map[store.Blob]bool{} // an entry that lies about a size does not hide one that does not
	broken := 0
	level := entries
	for depth := 0; len(level) > 0; depth++ {
		if depth > limits.LayoutDepth {
			return l.failed(fmt.Errorf("indexes nest more than %d deep", limits.LayoutDepth))
		}
		var next []ocispec.Descriptor
		for _, d := range level {
			c := store.BlobOf(d)
			if seen[c] {
				continue
			}
			if seen[c] = true; len(seen) > limits.LayoutManifests {
				return l.failed(fmt.Errorf("holds more than %d manifests", limits.LayoutManifests))
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			head, err := l.head(ctx, d)
			if errors.As(err, new(*fs.PathError)) {
				return err
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				if broken++; broken > limits.LayoutBroken {
					return l.failed(misshapen("names more than %d manifests that are none, such as %s", limits.LayoutBroken, d.Digest))
				}
			}
			visit(d, head, err)
			if err == nil {
				next = append(next, head.Manifests...)
			}
		}
		level = next
	}
	return nil
}

func (l *Layout) head(ctx context.Context, d ocispec.Descriptor) (*manifestHead, error) {
	data, err := l.Fetch(ctx, d)
	if err != nil {
		return nil, err
	}
	var head manifestHead
	if err := store.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	return &head, nil
}
