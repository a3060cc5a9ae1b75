package folder

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry"
)

// A Mirror makes a folder everything that a verifier without a network needs for one artifact: an OCI layout with the
// artifact's manifest and what is attached to it, and beside that the bundles and declarations as files. What a detached
// attestation is about can only be there if the artifact is the run: Missing names the others.
type Mirror struct {
	*Folder
	from     *registry.Target
	artifact *registry.Artifact
	layout   *registry.Target
	some     []*registry.Found // not in the layout yet
	size     int
}

// NewMirror makes the folder an OCI layout, and writes the artifact's manifest.
func NewMirror(to *Folder, from *registry.Target, artifact *registry.Artifact) (*Mirror, error) {
	if err := to.check(); err != nil {
		return nil, err
	}
	ref, err := registry.ParseReference("oci-layout://" + filepath.ToSlash(to.dir))
	if err == nil && !ref.IsRepository() {
		err = fmt.Errorf("%w: %s: what follows the colon or @ of the folder's name would be a tag or a digest", registry.ErrReference, to.dir)
	}
	if err != nil {
		return nil, err
	}
	if err := atomicfile.MakeFolder(to.dir); err != nil { // whatever its name is: CreateLayout takes that of a tarball as one
		return nil, err
	}
	if err := registry.CreateLayout(to.dir); err != nil {
		return nil, err
	}
	m := &Mirror{Folder: to, from: from, artifact: artifact}
	if m.layout, err = registry.Open(ref, registry.Options{}); err != nil {
		return nil, err
	}
	_, err = to.write(dashed(artifact.Digest())+".manifest.json", artifact.Manifest())
	return m, err
}

// Add writes a bundle and the declaration in it, and returns the path of the bundle's file. It keeps the bundle for the
// layout, which some are put into at a time, and drops what was parsed of it.
func (m *Mirror) Add(ctx context.Context, found *registry.Found) (path string, err error) {
	if m == nil || m.Folder == nil || found == nil {
		return "", errNoMirror
	}
	if m.size += len(found.Data); m.size > limits.Mirrored {
		if err := m.from.MirrorPart(ctx, m.artifact, m.some, m.layout); err != nil {
			return "", err
		}
		m.some, m.size = nil, len(found.Data)
	}
	m.some = append(m.some, found)
	if err := m.keepDeclaration(found); err != nil {
		return "", err
	}
	found.Bundle = nil // which has everything twice
	return m.WriteBundle(found)
}

// AddUnread has the layout list what a Listing could not read, so that it cannot be read there either: a decision by what is
// attached fails as it would where the artifact comes from.
func (m *Mirror) AddUnread(unread []*registry.Found) error {
	if m == nil || m.Folder == nil {
		return errNoMirror
	}
	m.some = append(m.some, unread...)
	return nil
}

// Close puts the rest into the layout, with the artifact, and returns the artifact there. Without Close the layout has no
// such artifact, or what it had of it before.
func (m *Mirror) Close(ctx context.Context) (*registry.Artifact, error) {
	if m == nil || m.Folder == nil {
		return nil, errNoMirror
	}
	return m.from.Mirror(ctx, m.artifact, m.some, m.layout)
}

var errNoMirror = errors.New("no mirror, or no bundle for it: it is nil or a zero value")
