package registry

import (
	"context"
	"errors"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
)

// newRun is the manifest of a run's declaration. It says nothing but the declaration, so that
// everybody who pushes the run pushes the same manifest.
func newRun(d *identity.Declaration) (manifest, layer item, err error) {
	layer = newItem(identity.MediaType, d.Canonical())
	named := layer.Descriptor
	named.Annotations = map[string]string{ocispec.AnnotationTitle: runTag(d.ID()) + ".json"} // what oras pull names the file
	manifest, err = packManifest(ocispec.Manifest{
		ArtifactType: identity.MediaType,
		Config:       emptyConfig().Descriptor,
		Layers:       []ocispec.Descriptor{named},
	})
	return manifest, layer, err
}

// readRun is the layer with the declaration and the identity that it must have; none if the
// manifest is not that of a declaration.
func readRun(manifest []byte) (ocispec.Descriptor, identity.ID) {
	m, err := readManifest(manifest)
	if err != nil || m.ArtifactType != identity.MediaType || len(m.Layers) != 1 || m.Layers[0].MediaType != identity.MediaType {
		return ocispec.Descriptor{}, identity.ID{}
	}
	id, err := identity.ParseID("airun:1:" + m.Layers[0].Digest.String())
	if err != nil {
		return ocispec.Descriptor{}, identity.ID{}
	}
	return m.Layers[0], id
}

// PushRun stores a run under its identity: its declaration, tagged airun-1-sha256-HEX, and the
// bundles as the declaration's referrers. What is there already is left alone.
func (t *Target) PushRun(ctx context.Context, d *identity.Declaration, bundles ...[]byte) (*Artifact, []Attached, error) {
	manifest, layer, err := newRun(d)
	if err != nil {
		return nil, nil, err
	}
	ref := t.ref.WithRun(d.ID())
	a := &Artifact{ref.at(manifest.Digest), manifest.Descriptor, manifest.data, d.ID()}
	for _, b := range bundles {
		if _, err := a.prepare(b); err != nil {
			return nil, nil, err
		}
	}
	there, _, err := t.store.resolve(ctx, ref.name())
	switch {
	case errors.Is(err, ErrNotFound):
		err = t.pushDeclaration(ctx, manifest, layer, ref.name())
	case err == nil && there.Digest != manifest.Digest:
		err = fmt.Errorf("%s: %w: tag %s is %s, want %s", t.ref.Repository(), ErrMismatch, ref.name(), there.Digest, manifest.Digest)
	}
	if err != nil {
		return nil, nil, err
	}
	attached, err := t.Attach(ctx, a, bundles...)
	return a, attached, err
}

func (t *Target) pushDeclaration(ctx context.Context, manifest, layer item, tag string) error {
	for _, c := range []item{emptyConfig(), layer} {
		if err := t.ensure(ctx, c); err != nil {
			return err
		}
	}
	return t.store.tag(ctx, manifest.Descriptor, manifest.data, tag)
}

// FetchRun gives the declaration that has the identity, recomputed from what the repository
// serves, and the artifact that the run's attestations refer to. The error wraps ErrNotFound
// where the repository has no such run, and ErrMismatch where it serves another one.
func (t *Target) FetchRun(ctx context.Context, id identity.ID) (*identity.Declaration, *Artifact, error) {
	ref := t.ref.WithRun(id)
	d, manifest, err := t.store.resolve(ctx, ref.name())
	if err != nil {
		return nil, nil, err
	}
	a, err := newArtifact(ref, d, manifest)
	if err != nil {
		return nil, nil, err
	}
	declaration, err := t.Declaration(ctx, a)
	return declaration, a, err
}

// Declaration fetches the declaration that the artifact is; a.Run is its identity, recomputed.
func (t *Target) Declaration(ctx context.Context, a *Artifact) (*identity.Declaration, error) {
	layer, id := readRun(a.manifest)
	if id.IsZero() {
		return nil, fmt.Errorf("%s is no declaration", a.Reference)
	}
	data, err := t.store.fetch(ctx, layer)
	if err != nil {
		return nil, err
	}
	declaration, err := identity.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", a.Reference, ErrMismatch, err)
	}
	if declaration.ID() != id { // the layer is valid, and not in canonical form
		return nil, fmt.Errorf("%s: %w: the declaration's identity is %s, want %s", a.Reference, ErrMismatch, declaration.ID(), id)
	}
	return declaration, nil
}

// newArtifact holds a manifest against the reference by which it was found.
func newArtifact(ref Reference, d ocispec.Descriptor, manifest []byte) (*Artifact, error) {
	_, run := readRun(manifest)
	if want := ref.run; !want.IsZero() && run != want {
		got := run.String()
		if run.IsZero() {
			got = "no run's declaration"
		}
		return nil, fmt.Errorf("%s: %w: tag %s is %s, want %s", ref.Repository(), ErrMismatch, ref.name(), got, want)
	}
	return &Artifact{ref.at(d.Digest), d, manifest, run}, nil
}

// Expect is what a verifier must expect of an attestation of the artifact, besides what the
// caller knows: the artifact among its subjects, or under a declaration that very run.
func (a *Artifact) Expect(want attest.Expect) (attest.Expect, error) {
	if a.run.IsZero() {
		subject, err := a.Subject()
		want.Artifacts = append(append([]attest.Subject{}, want.Artifacts...), subject)
		return want, err
	}
	if want.Identity != nil && *want.Identity != a.run {
		return want, fmt.Errorf("%s is the declaration of %s, and %s was expected", a.Reference, a.run, *want.Identity)
	}
	want.Identity = &a.run
	return want, nil
}
