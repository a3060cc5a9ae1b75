package registry

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
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

// referrers looks into every manifest of the layout: nothing else in it says who refers to whom.
func (l *layoutStore) referrers(ctx context.Context, subject digest.Digest) ([]ocispec.Descriptor, error) {
	index, err := l.index()
	if err != nil {
		return nil, err
	}
	var found []ocispec.Descriptor
	err = l.walk(ctx, index.Manifests, func(d ocispec.Descriptor, head *manifestHead) {
		switch {
		case head == nil && d.ArtifactType == attest.BundleMediaType: // broken, and to be reported as that
			found = append(found, d)
		case head != nil && head.Subject != nil && head.Subject.Digest == subject:
			d.ArtifactType, d.Annotations = head.kind(), head.Annotations
			found = append(found, d)
		}
	})
	if err == nil && len(found) > limits.Referrers {
		err = l.failed(fmt.Errorf("%s has more than %d referrers", subject, limits.Referrers))
	}
	return found, err
}

// walk visits each manifest once, with nil where it cannot be read: a layout may hold a part
// of what its indexes name.
func (l *layoutStore) walk(ctx context.Context, entries []ocispec.Descriptor, visit func(ocispec.Descriptor, *manifestHead)) error {
	seen := map[digest.Digest]bool{}
	level := entries
	for depth := 0; len(level) > 0; depth++ {
		if depth > limits.LayoutDepth {
			return l.failed(fmt.Errorf("indexes nest more than %d deep", limits.LayoutDepth))
		}
		var next []ocispec.Descriptor
		for _, d := range level {
			if seen[d.Digest] {
				continue
			}
			if seen[d.Digest] = true; len(seen) > limits.LayoutManifests {
				return l.failed(fmt.Errorf("holds more than %d manifests", limits.LayoutManifests))
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			head := l.head(ctx, d)
			visit(d, head)
			if head != nil {
				next = append(next, head.Manifests...)
			}
		}
		level = next
	}
	return nil
}

func (l *layoutStore) head(ctx context.Context, d ocispec.Descriptor) *manifestHead {
	data, err := l.fetch(ctx, d)
	if err != nil {
		return nil
	}
	var head manifestHead
	if json.Unmarshal(data, &head) != nil {
		return nil
	}
	return &head
}
