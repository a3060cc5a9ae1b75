package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry/internal/store"
)

// newRun is the manifest of a run's declaration. It depends only on the declaration, so that
// all clients push the same manifest for a run.
func newRun(d *identity.Declaration) (manifest, layer store.Item, err error) {
	layer = store.NewItem(identity.MediaType, d.Canonical())
	manifest, err = runManifest(d.ID(), layer.Size)
	return manifest, layer, err
}

// runManifest is the one manifest of a run's declaration, which has so many bytes.
func runManifest(id identity.ID, size int64) (store.Item, error) {
	return packManifest(ocispec.Manifest{
		ArtifactType: identity.MediaType,
		Config:       store.EmptyConfig().Descriptor,
		Layers: []ocispec.Descriptor{{
			MediaType: identity.MediaType, Digest: digest.NewDigestFromEncoded(digest.SHA256, id.Hex()), Size: size,
			Annotations: map[string]string{ocispec.AnnotationTitle: runTag(id) + ".json"}, // what oras pull names the file
		}},
	})
}

// readRun is the layer with the declaration and the identity that it must have; none if the
// manifest is not the one that a declaration has.
func readRun(sum digest.Digest, manifest []byte) (ocispec.Descriptor, identity.ID) {
	layer, id := claimedRun(manifest)
	if only, err := runManifest(id, layer.Size); err != nil || only.Digest != sum {
		return ocispec.Descriptor{}, identity.ID{}
	}
	return layer, id
}

// claimedRun is readRun for a manifest that may say more than the declaration.
func claimedRun(manifest []byte) (ocispec.Descriptor, identity.ID) {
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

// Run is a declaration, and bundles about it. Without the Declaration it is the run with this ID, whose declaration the
// repository must have already: then bundles are added to it.
type Run struct {
	ID          identity.ID // zero, or that of the Declaration
	Declaration *identity.Declaration
	Bundles     [][]byte
}

// NoDeclarationError says that a run without its declaration was to be stored in a repository that does not have it.
type NoDeclarationError struct {
	Run        identity.ID
	Repository Reference
}

func (e *NoDeclarationError) Error() string {
	e = zero.IfNil(e)
	return fmt.Sprintf("%s: its declaration is neither in a bundle nor in %s", e.Run, e.Repository)
}

// Is makes it an ErrNotFound.
func (e *NoDeclarationError) Is(target error) bool { return target == ErrNotFound }

// Pushed is where a run is now.
type Pushed struct {
	Artifact *Artifact
	Attached []Attached
}

// PushRun is PushRuns for one run.
func (t *Target) PushRun(ctx context.Context, d *identity.Declaration, bundles ...[]byte) (*Artifact, []Attached, error) {
	pushed, err := t.PushRuns(ctx, Run{Declaration: d, Bundles: bundles})
	if err != nil {
		return nil, nil, err
	}
	return pushed[0].Artifact, pushed[0].Attached, nil
}

// PushRuns stores runs under their identities: each declaration, tagged airun-1-sha256-HEX, and the
// bundles as the declaration's referrers. What is there already is left alone. A tarball is
// written once for all of them. A run that comes without its declaration must be there, or the error is a
// *NoDeclarationError. After an error some may be there; pushing all again does the rest.
func (t *Target) PushRuns(ctx context.Context, runs ...Run) ([]Pushed, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	now, err := t.store.Snapshot()
	if err != nil {
		return nil, err
	}
	there := *t
	there.store = now
	runs = slices.Clone(runs)
	for i := range runs {
		if err := there.declare(ctx, &runs[i]); err != nil {
			return nil, err
		}
	}
	var done []Pushed
	var all []store.Addition
	given := 0
	for _, run := range runs {
		p, missing, err := there.prepareRun(ctx, run)
		if one := (*BundleError)(nil); errors.As(err, &one) {
			one.Index += given
		}
		if err != nil {
			return nil, err
		}
		given += len(run.Bundles)
		if done = append(done, p); missing.Declaration != nil || len(missing.Referrers) > 0 {
			all = append(all, missing)
		}
	}
	if len(all) > 0 {
		if err := t.store.Add(ctx, all, t.count); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// declare fetches the declaration of a run that comes without.
func (t *Target) declare(ctx context.Context, run *Run) (err error) {
	id := run.Declaration.ID()
	switch {
	case run.ID.IsZero() && id.IsZero():
		return errors.New("no declaration: it is nil or a zero value")
	case !run.ID.IsZero() && !id.IsZero() && run.ID != id:
		return fmt.Errorf("the declaration's identity is %s, want %s", id, run.ID)
	case !id.IsZero():
		return nil
	}
	if run.Declaration, _, err = t.FetchRun(ctx, run.ID); errors.Is(err, ErrNotFound) {
		return &NoDeclarationError{run.ID, t.ref}
	}
	return err
}

// prepareRun says where a run is going to be, and what of it is not there yet.
func (t *Target) prepareRun(ctx context.Context, run Run) (p Pushed, missing store.Addition, err error) {
	manifest, layer, err := newRun(run.Declaration)
	if err != nil {
		return p, missing, err
	}
	ref := t.ref.WithRun(run.Declaration.ID())
	p.Artifact = &Artifact{Reference: ref.at(manifest.Digest), descriptor: manifest.Descriptor, manifest: manifest.Content, run: run.Declaration.ID()}
	missing.Subject = manifest.Digest
	attachments, err := p.Artifact.prepareAll(run.Bundles)
	if err != nil {
		return p, missing, err
	}
	there, _, err := t.store.Resolve(ctx, ref.name())
	switch {
	case errors.Is(err, ErrNotFound):
		missing.Declaration = &store.Declared{Manifest: manifest, Layer: layer, Tag: ref.name()}
	case err != nil:
		return p, missing, err
	case there.Digest != manifest.Digest:
		return p, missing, fmt.Errorf("%s: %w: tag %s is %s, want %s", t.ref.Repository(), ErrMismatch, ref.name(), there.Digest, manifest.Digest)
	}
	if missing.Declaration == nil { // and what is not there has no referrers to ask for
		if err := t.findExisting(ctx, p.Artifact, attachments); err != nil {
			return p, missing, err
		}
	}
	missing.Referrers, err = newReferrers(manifest.Descriptor, attachments, time.Now())
	if err == nil {
		p.Attached = results(attachments, missing.Referrers)
	}
	return p, missing, err
}

// FetchRun gives the declaration that has the identity, recomputed from what the repository
// serves, and the artifact that the run's attestations refer to. The error wraps ErrNotFound
// where the repository has no such run, and ErrMismatch where it serves another one.
func (t *Target) FetchRun(ctx context.Context, id identity.ID) (*identity.Declaration, *Artifact, error) {
	if err := t.check(); err != nil {
		return nil, nil, err
	}
	if id.IsZero() {
		return nil, nil, errors.New("the zero ID is not a run")
	}
	ref := t.ref.WithRun(id)
	a, err := t.resolve(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	declaration, err := t.Declaration(ctx, a)
	return declaration, a, err
}

// Declaration fetches the declaration that the artifact is; a.Run is its identity, recomputed.
func (t *Target) Declaration(ctx context.Context, a *Artifact) (*identity.Declaration, error) {
	if err := t.check(a); err != nil {
		return nil, err
	}
	layer, id := readRun(a.descriptor.Digest, a.manifest)
	if id.IsZero() {
		return nil, fmt.Errorf("%s is not a declaration", a.Reference)
	}
	data, err := t.store.Fetch(ctx, layer)
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

// newArtifact compares a manifest with the reference by which it was found. A run has one manifest: another one with the
// same declaration would have none of the run's attestations and rejections, and its other content would be unsigned.
func newArtifact(ref Reference, d ocispec.Descriptor, manifest []byte) (*Artifact, error) {
	_, run := readRun(d.Digest, manifest)
	if ref.run.IsZero() || run == ref.run {
		return &Artifact{Reference: ref.at(d.Digest), descriptor: d, manifest: manifest, run: run}, nil
	}
	got := "no run's declaration"
	if !run.IsZero() {
		got = run.String()
	} else if _, claimed := claimedRun(manifest); claimed == ref.run {
		got = "another manifest, " + d.Digest.String() + ", of its declaration"
	}
	return nil, fmt.Errorf("%s: %w: tag %s is %s, want %s", ref.Repository(), ErrMismatch, ref.name(), got, ref.run)
}

// Expect is what a verifier must expect of an attestation of the artifact, besides what the
// caller knows: the artifact among its subjects, or under a declaration that very run.
func (a *Artifact) Expect(want attest.Expect) (attest.Expect, error) {
	a = zero.IfNil(a)
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
