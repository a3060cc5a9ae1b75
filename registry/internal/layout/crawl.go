package layout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	lists  map[string][]ocispec.Descriptor // of referrers, by the tags sha256-HEX that they have or had

	walked    sync.Once
	err       error
	referring map[digest.Digest][]ocispec.Descriptor
	unread    []unread
	missing   map[digest.Digest]bool                 // of unread, what is not there
	named     map[digest.Digest][]ocispec.Descriptor // by lists
	platforms map[digest.Digest]bool                 // what an index calls an image's platform
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
	s := &snapshot{Layout: l, index: index, tagged: map[string][]ocispec.Descriptor{}, lists: map[string][]ocispec.Descriptor{}, named: map[digest.Digest][]ocispec.Descriptor{},
		referring: map[digest.Digest][]ocispec.Descriptor{}, missing: map[digest.Digest]bool{}, platforms: map[digest.Digest]bool{}}
	type list struct {
		tag    string
		digest digest.Digest
	}
	known := map[list]bool{} // an index may name a list any number of times
	for _, d := range index.Manifests {
		for _, name := range []string{formerTag, ocispec.AnnotationRefName} {
			of := list{listTag(d.Annotations[name]), d.Digest}
			if of.tag != "" && !known[of] && store.FallbackTag(d.Digest) != of.tag { // which may be the artifact's own
				known[of] = true
				s.lists[of.tag] = append(s.lists[of.tag], d)
				s.named[d.Digest] = nil
			}
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
	lost, listed := s.listed(store.FallbackTag(subject))
	broken := union(s.broken(subject, anyLabel), lost)
	known := map[digest.Digest]bool{subject: true}
	for _, d := range broken {
		known[d.Digest] = true
	}
	listed = slices.DeleteFunc(listed, func(d ocispec.Descriptor) bool { return known[d.Digest] })
	return s.fewEnough(subject, slices.Concat(broken, union(s.referring[subject], listed)))
}

// listed are the lists of referrers under a tag that are not there, without which it is not known what refers to the tag's subject, and
// what those say refers to it that are there. It may be missing itself, or name another subject: to see that is for who reads it, as with
// the lists of registries.
func (s *snapshot) listed(tag string) (lost, listed []ocispec.Descriptor) {
	for _, d := range s.lists[tag] {
		if s.missing[d.Digest] {
			lost = append(lost, d)
		}
		referrers, _ := store.OfSubject(s.named[d.Digest], subjectOf(tag))
		listed = append(listed, referrers...)
	}
	return lost, listed
}

// subjectOf is the digest of which a tag is store.FallbackTag.
func subjectOf(tag string) digest.Digest { return digest.Digest(strings.Replace(tag, "-", ":", 1)) }

// union are all of some, and of the next those that are not among these by their digests, and so on.
func union(some []ocispec.Descriptor, next ...[]ocispec.Descriptor) []ocispec.Descriptor {
	known := map[digest.Digest]bool{}
	for _, d := range some {
		known[d.Digest] = true
	}
	all := slices.Clone(some)
	for _, more := range next {
		for _, d := range more {
			if !known[d.Digest] {
				known[d.Digest] = true
				all = append(all, d)
			}
		}
	}
	return all
}

func (s *snapshot) walkOnce(ctx context.Context) error {
	s.walked.Do(func() {
		left := limits.LayoutManifests // entries of lists, which may repeat what others name
		var tooMany error
		s.err = s.walk(ctx, s.index.Manifests, func(d ocispec.Descriptor, head *manifestHead, err error) {
			if err != nil {
				s.unread = append(s.unread, unread{d, err})
				s.missing[d.Digest] = s.missing[d.Digest] || errors.Is(err, store.ErrNotFound)
				return
			}
			if known, isList := s.named[d.Digest]; isList && known == nil {
				if left -= len(head.Manifests); left < 0 {
					tooMany = s.failed(misshapen("its lists of referrers have more than %d entries", limits.LayoutManifests))
					return
				}
				s.named[d.Digest] = head.Manifests
			}
			for _, listed := range head.Manifests {
				s.platforms[listed.Digest] = s.platforms[listed.Digest] || listed.Platform != nil
			}
			if head.Subject != nil {
				d.ArtifactType, d.Annotations = head.kind(), head.Annotations
				s.referring[head.Subject.Digest] = append(s.referring[head.Subject.Digest], d)
			}
		})
		s.err = cmp.Or(s.err, tooMany)
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
// tag, nor a platform of an image, nor a list of referrers, for which listed looks.
func (s *snapshot) mayRefer(d ocispec.Descriptor) bool {
	_, isList := s.named[d.Digest]
	isImage := d.Platform != nil || s.platforms[d.Digest] || d.Annotations[ocispec.AnnotationRefName] != ""
	return !isList && !isImage && store.NamesManifest(d.MediaType)
}

// crawl is a layout that is gone through, by the tags that it has.
type crawl struct {
	*snapshot
	broken map[digest.Digest]bool // which Crawl has given
}

// Crawl reads the layout once.
func (l *Layout) Crawl(ctx context.Context, anyLabel bool) (store.Crawl, error) {
	s, err := l.snapshot()
	if err == nil {
		err = s.walkOnce(ctx)
	}
	if err != nil {
		return store.Crawl{}, err
	}
	var absent []ocispec.Descriptor
	looked, known := map[digest.Digest]bool{}, map[digest.Digest]bool{} // a list may have any number of tags
	for _, tag := range slices.Sorted(maps.Keys(s.lists)) {
		for _, list := range s.lists[tag] {
			if s.missing[list.Digest] {
				absent = append(absent, list)
			}
			if looked[list.Digest] {
				continue
			}
			referrers, isImage := store.OfSubject(s.named[list.Digest], subjectOf(tag))
			looked[list.Digest] = !isImage
			for _, d := range referrers {
				if s.missing[d.Digest] && !known[d.Digest] && (anyLabel || store.MayBeBundle(d)) {
					known[d.Digest] = true
					absent = append(absent, d)
				}
			}
		}
	}
	broken := union(s.broken("", anyLabel), absent)
	c := crawl{s, map[digest.Digest]bool{}}
	for _, d := range broken {
		c.broken[d.Digest] = true
	}
	return store.Crawl{Store: c, Tags: s.each(), Broken: broken}, nil
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
	_, listed := c.listed(store.FallbackTag(subject))
	given := func(d ocispec.Descriptor) bool {
		return d.Digest == subject || c.missing[d.Digest] || c.broken[d.Digest]
	}
	return c.fewEnough(subject, union(c.referring[subject], slices.DeleteFunc(listed, given)))
}

func (l *Layout) fewEnough(subject digest.Digest, referrers []ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	if len(referrers) > limits.Referrers {
		return nil, l.failed(fmt.Errorf("%s has more than %d referrers", subject, limits.Referrers))
	}
	return referrers, nil
}
