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
// that it names, and the referrers that were found, byte for byte. ListForMirror finds all of them. Those of Unread are listed
// there and have no content. A run takes its declaration along. The artifact has its
// tag there, too, and takes it from another one. The answer is the artifact there.
func (t *Target) Mirror(ctx context.Context, a *Artifact, found []*Found, layout *Target) (*Artifact, error) {
	if err := t.checkMirror(a, found, layout); err != nil {
		return nil, err
	}
	copied := store.Addition{Declaration: &store.Declared{Manifest: store.Item{Descriptor: a.descriptor, Content: a.manifest}, Tag: t.mirrorTag(a)}, Subject: a.descriptor.Digest}
	if d, run := readRun(a.descriptor.Digest, a.manifest); !run.IsZero() {
		data, err := t.store.Fetch(ctx, d)
		if err != nil {
			return nil, err
		}
		copied.Declaration.Layer = store.Item{Descriptor: d, Content: data}
	}
	copied.Referrers = referrers(found)
	displaced := ""
	if before, _, err := layout.store.Resolve(ctx, copied.Declaration.Tag); err == nil && before.Digest != a.descriptor.Digest {
		displaced = before.Digest.String()
	}
	if err := layout.store.Add(ctx, []store.Addition{copied}, layout.count); err != nil {
		return nil, err
	}
	there := *a
	there.Displaced = displaced
	there.Reference = layout.ref.at(a.descriptor.Digest)
	if !a.run.IsZero() {
		there.Reference = layout.ref.WithRun(a.run)
	}
	return &there, nil
}

// MirrorPart copies some of the referrers, and not the artifact, which Mirror adds with the last of them: what is interrupted before
// that cannot be taken for a whole mirror.
func (t *Target) MirrorPart(ctx context.Context, a *Artifact, found []*Found, layout *Target) error {
	if err := t.checkMirror(a, found, layout); err != nil {
		return err
	}
	return layout.store.Add(ctx, []store.Addition{{Subject: a.descriptor.Digest, Referrers: referrers(found)}}, layout.count)
}

func (t *Target) checkMirror(a *Artifact, found []*Found, layout *Target) error {
	if err := errors.Join(t.check(a), layout.check()); err != nil {
		return err
	}
	if slices.Contains(found, nil) {
		return errors.New("a bundle that was found is nil")
	}
	if !layout.ref.IsLayout() {
		return fmt.Errorf("%s: a registry takes no manifest without its layers: want an OCI layout", layout.ref)
	}
	return nil
}

func referrers(found []*Found) []store.Referrer {
	var all []store.Referrer
	for _, f := range found {
		all = append(all, f.stored)
	}
	return all
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

// asListed is an image manifest's descriptor as lists of referrers should have it, whatever a list has.
func asListed(d ocispec.Descriptor, m *ocispec.Manifest) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d.Digest, Size: d.Size, ArtifactType: m.ArtifactType, Annotations: m.Annotations}
}
