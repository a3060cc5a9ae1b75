package registry

import (
	"context"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// Platform is a manifest that an index names, with attestations of its own.
type Platform struct {
	Reference Reference
	Name      string // as in linux/amd64; empty if the index does not say
	// Attestations is how many referrers there are that may be attestations.
	Attestations int
}

// AttestedPlatforms looks for attestations of the platforms of an index that has none itself. It returns what it
// finds within the time for one answer, and nothing for another artifact or for what it cannot read.
func (t *Target) AttestedPlatforms(ctx context.Context, a *Artifact) []Platform {
	if t.check(a) != nil {
		return nil
	}
	var index ocispec.Index
	if !store.IsIndex(a.descriptor.MediaType) || store.Unmarshal(a.manifest, &index) != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	named := index.Manifests[:min(len(index.Manifests), limits.Platforms)]
	found := make([]Platform, len(named))
	_ = store.InParallel(ctx, len(named), func(ctx context.Context, i int) error {
		d := named[i]
		if store.CheckSize(d) != nil {
			return nil
		}
		listing, err := t.List(ctx, &Artifact{Reference: a.Reference.at(d.Digest), descriptor: d})
		if err != nil || listing.Len() == 0 {
			return nil
		}
		found[i] = Platform{Reference: a.Reference.at(d.Digest), Attestations: listing.Len()}
		if p := d.Platform; p != nil {
			found[i].Name = p.OS + "/" + p.Architecture
			if p.Variant != "" {
				found[i].Name += "/" + p.Variant
			}
		}
		return nil
	})
	return slices.DeleteFunc(found, func(p Platform) bool { return p.Attestations == 0 })
}
