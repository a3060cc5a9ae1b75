package layout

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// A layout's index.json names each referrer, where oras finds it. regctl finds the referrers of an artifact in an index
// under the fallback tag alone, as in a registry without the referrers API, and copies what is in there. So both are written.

// lists are the lists of referrers in a layout, as they are changed.
type lists struct {
	*Layout
	index     *ocispec.Index
	tagged    map[string][]ocispec.Descriptor
	there     map[digest.Digest]bool
	unread    map[digest.Digest]bool                 // lists that are there and cannot be read: referrers may stand in them alone
	images    map[digest.Digest]bool                 // what has the tag of a list, and is an image
	referring map[digest.Digest][]ocispec.Descriptor // by subject; nil until needed

	subjects []digest.Digest // whose lists are changed, in order
	changed  map[digest.Digest]*ocispec.Index
}

// relist enters what is added into the lists of referrers, which write then writes.
func (l *Layout) relist(ctx context.Context, index *ocispec.Index, all []store.Addition) (*lists, error) {
	s := &lists{Layout: l, index: index, tagged: map[string][]ocispec.Descriptor{}, there: map[digest.Digest]bool{}, unread: map[digest.Digest]bool{},
		images: map[digest.Digest]bool{}, changed: map[digest.Digest]*ocispec.Index{}}
	for _, d := range index.Manifests {
		s.there[d.Digest] = true
		if tag := d.Annotations[ocispec.AnnotationRefName]; tag != "" {
			s.tagged[tag] = append(s.tagged[tag], d)
		}
	}
	for _, a := range all {
		if len(a.Referrers) == 0 {
			continue
		}
		list, err := s.of(ctx, a)
		if err != nil {
			return nil, err
		}
		for _, r := range a.Referrers {
			if !store.Contains(list.Manifests, r.Manifest.Digest) {
				list.Manifests = append(list.Manifests, r.Manifest.Descriptor)
			}
		}
	}
	return s, nil
}

// of is the list that an addition changes: the old one, or what the layout has that refers to the subject.
func (s *lists) of(ctx context.Context, a store.Addition) (*ocispec.Index, error) {
	if list := s.changed[a.Subject]; list != nil {
		return list, nil
	}
	list := s.read(ctx, a.Subject)
	if list == nil {
		list = &ocispec.Index{}
		if isNew := a.Declaration != nil && !s.there[a.Subject]; !isNew {
			if err := s.refer(ctx); err != nil {
				return nil, err
			}
			list.Manifests = s.referring[a.Subject]
		}
	}
	s.subjects = append(s.subjects, a.Subject)
	s.changed[a.Subject] = list
	return list, nil
}

// read gives what indexes under the fallback tag list; nil if there is none that can be read. The tag may name the
// artifact itself, whose platforms are not referrers.
func (s *lists) read(ctx context.Context, subject digest.Digest) *ocispec.Index {
	var all *ocispec.Index
	for _, d := range s.tagged[store.FallbackTag(subject)] {
		if d.Digest == subject {
			continue
		}
		data, err := s.Fetch(ctx, d)
		var one ocispec.Index
		if err == nil {
			err = store.Unmarshal(data, &one)
			if d.MediaType != ocispec.MediaTypeImageIndex && len(one.Manifests) == 0 {
				continue // it lists nothing
			}
		}
		if err != nil {
			s.unread[d.Digest] = true // it stays: what it names would be named by nothing else
			continue
		}
		if referrers, isImage := store.OfSubject(one.Manifests, subject); isImage {
			s.images[d.Digest] = true
			if one = (ocispec.Index{Manifests: referrers}); len(referrers) == 0 {
				continue
			}
		}
		if all == nil {
			all = &one
			continue
		}
		for _, listed := range one.Manifests {
			if !store.Contains(all.Manifests, listed.Digest) {
				all.Manifests = append(all.Manifests, listed)
			}
		}
	}
	return all
}

// refer looks into every manifest of the layout, once.
func (s *lists) refer(ctx context.Context) error {
	if s.referring != nil {
		return nil
	}
	s.referring = map[digest.Digest][]ocispec.Descriptor{}
	return s.walk(ctx, s.index.Manifests, func(d ocispec.Descriptor, head *manifestHead, err error) {
		if err == nil && head.Subject != nil && !store.Contains(s.referring[head.Subject.Digest], d.Digest) {
			d = ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, ArtifactType: head.kind(), Annotations: head.Annotations}
			s.referring[head.Subject.Digest] = append(s.referring[head.Subject.Digest], d)
		}
	})
}

// formerTag is the annotation of a list that could not be read, and whose tag another one has now: what it names may refer to the
// same artifact.
const formerTag = "com.github.runattest.former-tag"

// write makes blobs of the lists, which take the places of older ones in the index. Anything else that had a list's tag stays without,
// and so does a list that cannot be read, which keeps a decision from being made without what is in it.
func (s *lists) write() ([]store.Item, error) {
	var blobs []store.Item
	made := map[string]digest.Digest{} // subjects, by the tags of their lists
	for _, subject := range s.subjects {
		list := s.changed[subject]
		list.Versioned, list.MediaType = specs.Versioned{SchemaVersion: 2}, ocispec.MediaTypeImageIndex
		data, err := json.Marshal(list)
		if err != nil {
			return nil, err
		}
		if len(list.Manifests) > limits.Referrers || len(data) > limits.RegistryContent {
			return nil, fmt.Errorf("the list of the referrers of %s would have %d entries in %d bytes, want at most %d in %d",
				subject, len(list.Manifests), len(data), limits.Referrers, limits.RegistryContent)
		}
		blobs = append(blobs, store.NewItem(ocispec.MediaTypeImageIndex, data))
		made[store.FallbackTag(subject)] = subject
	}
	s.index.Manifests = slices.DeleteFunc(s.index.Manifests, func(d ocispec.Descriptor) bool {
		subject, ok := made[d.Annotations[ocispec.AnnotationRefName]]
		return ok && d.Digest != subject && !s.unread[d.Digest] && !s.images[d.Digest] && d.MediaType == ocispec.MediaTypeImageIndex
	})
	for i, d := range s.index.Manifests {
		tag := d.Annotations[ocispec.AnnotationRefName]
		if _, ok := made[tag]; !ok {
			continue
		}
		rest := maps.Clone(d.Annotations)
		if delete(rest, ocispec.AnnotationRefName); s.unread[d.Digest] {
			rest[formerTag] = tag
		}
		s.index.Manifests[i].Annotations = rest
	}
	for i, subject := range s.subjects {
		d := blobs[i].Descriptor
		d.Annotations = map[string]string{ocispec.AnnotationRefName: store.FallbackTag(subject)}
		s.index.Manifests = append(s.index.Manifests, d)
	}
	return blobs, nil
}
