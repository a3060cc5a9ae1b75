package layout

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// snapshot is a layout that is read once: what refers to what stands in the manifests
// alone, and to look into all of them for each run would take the square of their number.
type snapshot struct {
	*Layout
	tagged    []ocispec.Descriptor
	byTag     map[string]ocispec.Descriptor
	referring map[digest.Digest][]ocispec.Descriptor
}

var _ store.Store = (*snapshot)(nil)

// Crawl reads the layout once.
func (l *Layout) Crawl(ctx context.Context, anyLabel bool) (store.Crawl, error) {
	index, err := l.index()
	if err != nil {
		return store.Crawl{}, err
	}
	s := &snapshot{Layout: l, byTag: map[string]ocispec.Descriptor{}, referring: map[digest.Digest][]ocispec.Descriptor{}}
	for _, d := range index.Manifests {
		if tag := d.Annotations[ocispec.AnnotationRefName]; tag != "" && s.byTag[tag].Digest == "" {
			s.byTag[tag] = d
			s.tagged = append(s.tagged, d)
		}
	}
	var broken []ocispec.Descriptor
	err = l.walk(ctx, index.Manifests, func(d ocispec.Descriptor, head *manifestHead, err error) {
		switch {
		case err != nil && mayHide(d, err, anyLabel):
			broken = append(broken, d)
		case err == nil && head.Subject != nil:
			d.ArtifactType, d.Annotations = head.kind(), head.Annotations
			s.referring[head.Subject.Digest] = append(s.referring[head.Subject.Digest], d)
		}
	})
	return store.Crawl{Store: s, Tags: s.tags(), Broken: broken}, err
}

// tags are in the index's order.
func (s *snapshot) tags() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, d := range s.tagged {
			if !yield(d.Annotations[ocispec.AnnotationRefName], nil) {
				return
			}
		}
	}
}

// Resolve finds a manifest by its tag.
func (s *snapshot) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, []byte, error) {
	d, ok := s.byTag[tag]
	if !ok {
		return d, nil, store.NoSuch(Scheme+s.path, tag)
	}
	data, err := s.Fetch(ctx, d)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: tag %s is there, and its manifest is not", store.ErrMismatch, tag)
	}
	return d, data, err
}

// Referrers are those that there were; Crawl has given those that cannot be read.
func (s *snapshot) Referrers(_ context.Context, subject digest.Digest, _ bool) ([]ocispec.Descriptor, error) {
	all := s.referring[subject]
	if len(all) > limits.Referrers {
		return nil, s.failed(fmt.Errorf("%s has more than %d referrers", subject, limits.Referrers))
	}
	return all, nil
}
