package layout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// snapshot is a layout as it was: its index is read once, and its manifests when it is first asked what refers to something. That
// stands in the manifests alone, and to look into all of them for each run would take the square of their number.
type snapshot struct {
	*Layout
	index  *ocispec.Index
	tags   []string // in the index's order
	tagged map[string][]ocispec.Descriptor
	former map[string][]ocispec.Descriptor // lists that had a tag

	walked    sync.Once
	err       error
	referring map[digest.Digest][]ocispec.Descriptor
	unread    []unread
	missing   map[digest.Digest]bool // of unread, what is not there
	platforms map[digest.Digest]bool // what an index calls an image's platform
}

// unread is a manifest that cannot be read, and why.
type unread struct {
	ocispec.Descriptor
	err error
}

var _ store.Store = (*snapshot)(nil)

// Snapshot reads the index.
func (l *Layout) Snapshot() (store.Store, error) { return l.snapshot() }

func (l *Layout) snapshot() (*snapshot, error) {
	index, err := l.index()
	if err != nil {
		return nil, err
	}
	s := &snapshot{Layout: l, index: index, tagged: map[string][]ocispec.Descriptor{}, former: map[string][]ocispec.Descriptor{},
		referring: map[digest.Digest][]ocispec.Descriptor{}, missing: map[digest.Digest]bool{}, platforms: map[digest.Digest]bool{}}
	for _, d := range index.Manifests {
		if tag := d.Annotations[formerTag]; tag != "" {
			s.former[tag] = append(s.former[tag], d)
		}
		tag := d.Annotations[ocispec.AnnotationRefName]
		if tag == "" {
			continue
		}
		if s.tagged[tag] == nil {
			s.tags = append(s.tags, tag)
		}
		s.tagged[tag] = append(s.tagged[tag], d)
	}
	return s, nil
}

// Resolve is that of the layout.
func (s *snapshot) Resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	index := s.index
	if name != "" && !strings.HasPrefix(name, "sha256:") {
		index = &ocispec.Index{Manifests: s.tagged[name]}
	}
	return s.resolve(ctx, index, name)
}

// Referrers are those that there were.
func (s *snapshot) Referrers(ctx context.Context, subject digest.Digest, anyLabel bool) ([]ocispec.Descriptor, error) {
	if err := s.walkOnce(ctx); err != nil {
		return nil, err
	}
	lost, err := s.lost(ctx, anyLabel, store.FallbackTag(subject))
	if err != nil {
		return nil, err
	}
	return s.fewEnough(subject, slices.Concat(union(s.broken(subject, anyLabel), lost), s.referring[subject]))
}

// lost are lists of referrers that are named by a subject's tag and are not there, and what such a list names, may be a bundle and
// is not there: without them it is not known what refers to the subject.
func (s *snapshot) lost(ctx context.Context, anyLabel bool, tags ...string) ([]ocispec.Descriptor, error) {
	if len(s.missing) == 0 {
		return nil, nil
	}
	var lost []ocispec.Descriptor
	for _, tag := range tags {
		for _, d := range slices.Concat(s.tagged[tag], s.former[tag]) {
			switch {
			case store.FallbackTag(d.Digest) == tag: // the artifact itself
				continue
			case s.missing[d.Digest]:
				lost = append(lost, d)
				continue
			case d.MediaType != ocispec.MediaTypeImageIndex:
				continue
			}
			head, err := s.head(ctx, d)
			if errors.As(err, new(*fs.PathError)) {
				return nil, err
			}
			if err != nil { // s.broken has it
				continue
			}
			for _, listed := range head.Manifests {
				if s.missing[listed.Digest] && (anyLabel || store.MayBeBundle(listed)) && !mayHide(listed, store.ErrNotFound, false) {
					lost = append(lost, listed)
				}
			}
		}
	}
	return lost, nil
}

// union are all, with those of more that are not among them.
func union(all, more []ocispec.Descriptor) []ocispec.Descriptor {
	known := map[digest.Digest]bool{}
	for _, d := range all {
		known[d.Digest] = true
	}
	for _, d := range more {
		if !known[d.Digest] {
			known[d.Digest] = true
			all = append(all, d)
		}
	}
	return all
}

func (s *snapshot) walkOnce(ctx context.Context) error {
	s.walked.Do(func() {
		s.err = s.walk(ctx, s.index.Manifests, func(d ocispec.Descriptor, head *manifestHead, err error) {
			if err != nil {
				s.unread = append(s.unread, unread{d, err})
				s.missing[d.Digest] = s.missing[d.Digest] || errors.Is(err, store.ErrNotFound)
				return
			}
			for _, listed := range head.Manifests {
				s.platforms[listed.Digest] = s.platforms[listed.Digest] || listed.Platform != nil
			}
			if head.Subject != nil {
				d.ArtifactType, d.Annotations = head.kind(), head.Annotations
				s.referring[head.Subject.Digest] = append(s.referring[head.Subject.Digest], d)
			}
		})
	})
	return s.err
}

// broken are the manifests that cannot be read, and may refer to the subject, or to anything where it is "".
func (s *snapshot) broken(subject digest.Digest, anyLabel bool) (broken []ocispec.Descriptor) {
	for _, u := range s.unread {
		if mayHide(u.Descriptor, u.err, anyLabel) {
			broken = append(broken, u.Descriptor)
		}
	}
	var absent []ocispec.Descriptor
	for _, d := range s.index.Manifests {
		if s.missing[d.Digest] && d.Digest != subject && s.mayRefer(d) && (anyLabel || store.MayBeBundle(d)) {
			absent = append(absent, d)
		}
	}
	return union(broken, absent)
}

// mayRefer says that an entry of the layout's index, whose manifest is not there, may be about an artifact. It is not what people gave a
// tag, nor a platform of an image, nor a list of referrers, for which lost looks.
func (s *snapshot) mayRefer(d ocispec.Descriptor) bool {
	isList := d.Annotations[formerTag] != ""
	isImage := d.Platform != nil || s.platforms[d.Digest] || d.Annotations[ocispec.AnnotationRefName] != ""
	return !isList && !isImage && store.NamesManifest(d.MediaType)
}

// crawl is a layout that is gone through, by the tags that it has.
type crawl struct{ *snapshot }

// Crawl reads the layout once.
func (l *Layout) Crawl(ctx context.Context, anyLabel bool) (store.Crawl, error) {
	s, err := l.snapshot()
	if err == nil {
		err = s.walkOnce(ctx)
	}
	if err != nil {
		return store.Crawl{}, err
	}
	lists := slices.DeleteFunc(slices.AppendSeq(slices.Clone(s.tags), maps.Keys(s.former)), func(tag string) bool { return !isListTag(tag) })
	slices.Sort(lists)
	lost, err := s.lost(ctx, anyLabel, slices.Compact(lists)...)
	if err != nil {
		return store.Crawl{}, err
	}
	return store.Crawl{Store: crawl{s}, Tags: s.each(), Broken: union(s.broken("", anyLabel), lost)}, nil
}

func (s *snapshot) each() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, tag := range s.tags {
			if !yield(tag, nil) {
				return
			}
		}
	}
}

// Resolve finds a manifest by its tag.
func (c crawl) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, []byte, error) {
	all := c.tagged[tag]
	if len(all) == 0 {
		return ocispec.Descriptor{}, nil, store.NoSuch(Scheme+c.path, tag)
	}
	data, err := c.Fetch(ctx, all[0])
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: tag %s is there, and its manifest is not", store.ErrMismatch, tag)
	}
	return all[0], data, err
}

// Referrers are those that can be read; Crawl has given the others.
func (c crawl) Referrers(_ context.Context, subject digest.Digest, _ bool) ([]ocispec.Descriptor, error) {
	return c.fewEnough(subject, c.referring[subject])
}

func (l *Layout) fewEnough(subject digest.Digest, referrers []ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	if len(referrers) > limits.Referrers {
		return nil, l.failed(fmt.Errorf("%s has more than %d referrers", subject, limits.Referrers))
	}
	return referrers, nil
}
