package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/registry/internal/store"
)

// Mirror copies into a layout what it takes to verify an artifact: its manifest, without the layers
// that it names, and the referrers that were found, byte for byte. A run takes its declaration along. The
// answer is the artifact there.
func (t *Target) Mirror(ctx context.Context, a *Artifact, found []*Found, layout *Target) (*Artifact, error) {
	if err := errors.Join(t.check(a), layout.check()); err != nil {
		return nil, err
	}
	if slices.Contains(found, nil) {
		return nil, errors.New("a bundle that was found is nil")
	}
	if !layout.ref.IsLayout() {
		return nil, fmt.Errorf("%s: a registry takes no manifest without its layers: want an OCI layout", layout.ref)
	}
	copied := store.Addition{Declaration: &store.Declared{Manifest: store.Item{Descriptor: a.descriptor, Content: a.manifest}, Tag: t.mirrorTag(a)}, Subject: a.descriptor.Digest}
	if d, run := readRun(a.descriptor.Digest, a.manifest); !run.IsZero() {
		data, err := t.store.Fetch(ctx, d)
		if err != nil {
			return nil, err
		}
		copied.Declaration.Layer = store.Item{Descriptor: d, Content: data}
	}
	for _, f := range found {
		copied.Referrers = append(copied.Referrers, f.stored)
	}
	if err := layout.store.Add(ctx, []store.Addition{copied}, layout.count); err != nil {
		return nil, err
	}
	there := *a
	there.Reference = layout.ref.at(a.descriptor.Digest)
	if !a.run.IsZero() {
		there.Reference = layout.ref.WithRun(a.run)
	}
	return &there, nil
}

// mirrorTag names the artifact as it was asked for, so that a layout with one has a tag to go by.
func (t *Target) mirrorTag(a *Artifact) string {
	switch {
	case !a.run.IsZero():
		return runTag(a.run)
	case t.ref.tag != "":
		return t.ref.tag
	}
	return a.descriptor.Digest.Encoded()[:12]
}

// asListed is a manifest's descriptor as lists of referrers have it.
func asListed(d ocispec.Descriptor, m *ocispec.Manifest) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, ArtifactType: m.ArtifactType, Annotations: m.Annotations}
}
