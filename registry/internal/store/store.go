// Package store is what a repository is to package registry, whatever it is made of: the interface Store, which
// package layout implements for OCI image layouts and package remote for registries, and what both make of manifests,
// content and errors.
package store

import (
	"context"
	"iter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Store is a repository. What it fetches it has verified. It is safe for concurrent use.
type Store interface {
	// Resolve finds a manifest by tag or digest and gives its content.
	Resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error)
	// Fetch gives the content of a manifest or a blob.
	Fetch(ctx context.Context, d ocispec.Descriptor) ([]byte, error)
	// Exists says whether there is such a blob, unspoilt where that can be told without fetching it.
	Exists(ctx context.Context, d ocispec.Descriptor) (bool, error)
	// Referrers lists the manifests whose subject is that digest, of whatever type. Those that cannot be read and may be bundles about
	// anything are among them; with anyLabel also where their labels say that they are something else.
	Referrers(ctx context.Context, subject digest.Digest, anyLabel bool) ([]ocispec.Descriptor, error)
	// Add stores what is new and has it listed, and tells of each bundle. A registry takes one
	// thing after the other, a layout all of it under one lock and a tarball at once.
	Add(ctx context.Context, all []Addition, stored func()) error
	// Snapshot is for asking about many things before one Add: a layout as it is now, whose index is read once. A registry is
	// asked each time.
	Snapshot() (Store, error)
	// Crawl is for going through all that is there; anyLabel is that of Referrers.
	Crawl(ctx context.Context, anyLabel bool) (Crawl, error)
}

// Crawl is a store that is gone through, as it was when that began where it can be told.
type Crawl struct {
	Store
	// Tags gives each tag of the repository once, or an error, which is the last.
	Tags iter.Seq2[string, error]
	// Broken are the manifests that cannot be read, and may be bundles about anything.
	Broken []ocispec.Descriptor
}

// Addition is what is stored in a repository together: content comes before what names it.
type Addition struct {
	Declaration *Declared // which the referrers may be about
	Subject     digest.Digest
	Referrers   []Referrer
}

// Declared is the manifest of a declaration, and its tag; or another manifest, without layer.
type Declared struct {
	Manifest, Layer Item
	Tag             string
}

// Referrer is a bundle and the manifest that hangs it on its subject. Without a bundle the manifest is listed in a layout
// and not stored: it stands for one that cannot be read where it is.
type Referrer struct{ Bundle, Manifest Item }

// Item is a piece of content with its descriptor.
type Item struct {
	ocispec.Descriptor
	Content []byte
}

// NewItem describes content.
func NewItem(mediaType string, data []byte) Item {
	return Item{ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}, data}
}

// EmptyConfig is the config of a manifest that has none, as the image specification has it.
func EmptyConfig() Item { return NewItem(ocispec.MediaTypeEmptyJSON, []byte(`{}`)) }

// FallbackTag is where the referrers of a digest are listed in a registry that does not list them
// itself, and in layouts: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
func FallbackTag(d digest.Digest) string {
	return d.Algorithm().String() + "-" + d.Encoded()
}
