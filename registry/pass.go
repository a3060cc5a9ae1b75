package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// pass is one pass over a listing. It remembers each layer: a client that may push can attach one large blob
// thousands of times, and it is not fetched for each.
type pass struct {
	*Listing
	kinds sync.Map      // layer: layerKind
	spent *atomic.Int64 // the bytes of what was fetched by content, in the passes that share it
}

// layer is content under a media type: what is a bundle under one is none under another.
type layer struct {
	store.Blob
	mediaType string
}

func layerOf(d ocispec.Descriptor) layer { return layer{store.BlobOf(d), d.MediaType} }

// layerKind is what a layer was found to be.
type layerKind byte

const (
	newLayer      layerKind = iota
	givenLayer              // a bundle that was given to the caller
	unwantedLayer           // one of another predicate type
	badLayer                // no bundle, or no Statement in it
)

func (l *Listing) pass(spent *atomic.Int64) *pass { return &pass{Listing: l, spent: spent} }

// get fetches content. By content all that is attached is fetched, whatever it is, and its size is bounded: what is
// over that is an error, as the rest may have what is looked for.
func (p *pass) get(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if p.lookup.byContent && !p.lookup.unbounded && store.CheckSize(d) == nil && p.spent.Add(d.Size) > limits.ApprovalsSize {
		err := fmt.Errorf("what is attached has more than %d bytes, and no more is looked into", limits.ApprovalsSize)
		return nil, &Error{Target: p.artifact.Reference.String(), Err: err}
	}
	return p.target.store.Fetch(ctx, d)
}

// getManifest fetches a referrer. Its media type, which says where a registry has it, may be wrong in a list.
func (p *pass) getManifest(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	data, err := p.get(ctx, d)
	if p.lookup.byContent && errors.Is(err, ErrNotFound) && d.MediaType != "" {
		d.MediaType = "" // as lists have that say nothing of it
		return p.target.store.Fetch(ctx, d)
	}
	return data, err
}

func (p *pass) kindOf(d ocispec.Descriptor) layerKind {
	kind, _ := p.kinds.Load(layerOf(d))
	known, _ := kind.(layerKind)
	return known
}

func (p *pass) learn(d ocispec.Descriptor, kind layerKind) { p.kinds.Store(layerOf(d), kind) }

// isFirst says that the caller was not given the bundle before; from now on it was.
func (p *pass) isFirst(f *Found) bool {
	before, _ := p.kinds.Swap(layerOf(f.stored.Bundle.Descriptor), givenLayer)
	if trimmed := bytes.TrimSpace(f.Data); len(trimmed) < len(f.Data) { // with a newline at its end it is the same bundle
		before, _ = p.kinds.Swap(layerOf(store.NewItem(f.MediaType, trimmed).Descriptor), givenLayer)
	}
	if before == givenLayer {
		p.add(&p.repeated)
		return false
	}
	return true
}

// again is what is to be said of a referrer whose layer is known, and which says that its predicate type is said.
func (p *pass) again(d ocispec.Descriptor, kind layerKind, said string) error {
	switch {
	case kind == givenLayer:
		p.add(&p.repeated)
	case kind == badLayer:
		return &MalformedError{d.Digest.String(), errors.New("it holds what another malformed one holds")}
	case p.wants(said):
		return &MalformedError{d.Digest.String(), fmt.Errorf("it says that its predicate type is %q, and its statement says another", said)}
	default:
		p.add(&p.filtered)
	}
	return nil
}
