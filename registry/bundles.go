package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry/internal/store"
)

// Listing is what refers to an artifact.
type Listing struct {
	target     *Target
	artifact   *Artifact
	wants      func(predicateType string) bool
	lookup     lookup
	candidates []ocispec.Descriptor

	mu                          sync.Mutex
	foreign, filtered, repeated int
	unread                      []*Found
}

// lookup is how a listing tells what is a bundle, and how often it gives one.
type lookup struct {
	byContent bool // whatever is said of a bundle elsewhere
	unbounded bool // with byContent: however much there is
	repeats   bool // a bundle comes for each referrer that holds it
}

// List finds the attestations of an artifact, of the given predicate types or of all: its
// referrers of Sigstore's bundle type, and proofs of runs in sets. Referrers of other types are counted and left alone.
func (t *Target) List(ctx context.Context, a *Artifact, predicateTypes ...string) (*Listing, error) {
	return t.list(ctx, a, lookup{}, oneOf(predicateTypes))
}

// oneOf wants the given predicate types, or all.
func oneOf(predicateTypes []string) func(predicateType string) bool {
	return func(t string) bool { return len(predicateTypes) == 0 || slices.Contains(predicateTypes, t) }
}

// ListByContent is List, of the predicate types for which wanted is true, for a caller that must not miss one, such as a rejection: it
// passes over no referrer for its artifact type, nor for the predicate type that is said to be its bundle's, but looks into each. Whether
// it has a bundle is told by the media types in its manifest, and the predicate type is that of the statement. What may be a bundle and
// cannot be read as one, such as one whose payload has no predicate type, a bundle under a media type that List does not take, or a
// manifest that is listed and not there, is a *MalformedError. More than 10,000 referrers are an error, and so are more than 256 MiB of
// manifests and bundles.
func (t *Target) ListByContent(ctx context.Context, a *Artifact, wanted func(predicateType string) bool) (*Listing, error) {
	if wanted == nil {
		return nil, errors.New("it is not said which predicate types are wanted")
	}
	return t.list(ctx, a, lookup{byContent: true}, func(predicateType string) bool { return predicateType != "" && wanted(predicateType) })
}

// ListAll is ListByContent for copying what is attached, without its bounds: an artifact has 50,000 referrers at most.
func (t *Target) ListAll(ctx context.Context, a *Artifact, predicateTypes ...string) (*Listing, error) {
	return t.list(ctx, a, lookup{byContent: true, unbounded: true}, oneOf(predicateTypes))
}

// ListForMirror is ListByContent for Mirror: a copy must not lack what a decision by the original would see. A bundle that several
// referrers hold comes once for each, since their labels differ, and those who look by labels are to find it in the copy, too.
func (t *Target) ListForMirror(ctx context.Context, a *Artifact, predicateTypes ...string) (*Listing, error) {
	return t.list(ctx, a, lookup{byContent: true, repeats: true}, oneOf(predicateTypes))
}

func (t *Target) list(ctx context.Context, a *Artifact, how lookup, wants func(predicateType string) bool) (*Listing, error) {
	if err := t.check(a); err != nil {
		return nil, err
	}
	referrers, err := t.store.Referrers(ctx, a.descriptor.Digest, how.byContent)
	if err != nil {
		return nil, err
	}
	l := &Listing{target: t, artifact: a, wants: wants, lookup: how}
	if how.byContent {
		if n := len(referrers); n > limits.Approvals && !how.unbounded {
			return nil, &Error{Target: a.Reference.String(), Err: fmt.Errorf("has %d referrers, and at most %d are looked into", n, limits.Approvals)}
		}
		l.candidates = referrers
		return l, nil
	}
	for _, d := range referrers {
		said := d.Annotations[predicateAnnotation]
		switch {
		case !store.MayBeBundle(d):
			l.foreign++
		case said != "" && !l.wants(said):
			l.filtered++
		default:
			l.candidates = append(l.candidates, d)
		}
	}
	return l, nil
}

// Len is how many referrers Bundles is going to fetch.
func (l *Listing) Len() int { return len(zero.IfNil(l).candidates) }

// Foreign is how many referrers are of other types, as far as they have been looked at.
func (l *Listing) Foreign() int {
	l = zero.IfNil(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.foreign
}

// Filtered is how many attestations are of predicate types that were not asked for, as far as
// they have been looked at.
func (l *Listing) Filtered() int {
	l = zero.IfNil(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.filtered
}

// Repeated is how many referrers held the same bundle as one before them, as far as they have
// been looked at: two that attach one bundle at the same moment store it twice.
func (l *Listing) Repeated() int {
	l = zero.IfNil(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.repeated
}

// Unread stands for the referrers that Bundles could not read so far, each an error for which IsOfOne holds. They have no
// bundle, and are for Mirror alone.
func (l *Listing) Unread() []*Found {
	l = zero.IfNil(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.unread)
}

// standIn is what a mirror lists of a referrer that cannot be read: an attestation that is not there, so that it cannot be
// read in the mirror either.
func standIn(d ocispec.Descriptor) *Found {
	listed := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d.Digest, Size: d.Size, ArtifactType: attest.BundleMediaType}
	return &Found{Referrer: d.Digest.String(), stored: store.Referrer{Manifest: store.Item{Descriptor: listed}}}
}

// Found is an attestation as it was fetched: its digest is right and nothing else has been
// checked.
type Found struct {
	Referrer      string    // digest of the manifest that holds it
	MediaType     string    // attest.BundleMediaType, or attest.RunProofMediaType
	PredicateType string    // as the statement says
	Created       time.Time // in UTC, as the manifest says; zero if it says nothing that RFC 3339 can
	Data          []byte    // the bundle, byte for byte
	Bundle        *attest.Bundle

	stored store.Referrer
}

// Bundles fetches the attestations in the order of the list, several at a time and no more
// than that ahead of the caller. A bundle that several referrers hold comes once. A referrer that claims to be an attestation and is none is a
// *MalformedError, and the next one follows; so does it after content that is not what its
// digest says. Any other error ends the sequence.
func (l *Listing) Bundles(ctx context.Context) iter.Seq2[*Found, error] {
	l = zero.IfNil(l)
	return func(yield func(*Found, error) bool) {
		if err := l.target.check(); err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		p := l.pass(new(atomic.Int64))
		for r := range p.fetchAhead(ctx) {
			got := <-r
			if got.found == nil && got.err == nil || got.found != nil && !l.lookup.repeats && !p.isFirst(got.found) {
				continue
			}
			if IsOfOne(got.err) {
				l.mu.Lock()
				l.unread = append(l.unread, standIn(got.listed))
				l.mu.Unlock()
			}
			if !yield(got.found, got.err) || got.err != nil && !IsOfOne(got.err) {
				return
			}
			l.target.count()
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// IsOfOne says that an error of Bundles is about one referrer, so that the others follow.
func IsOfOne(err error) bool {
	var malformed *MalformedError
	return errors.As(err, &malformed) || errors.Is(err, ErrMismatch) || errors.Is(err, io.ErrUnexpectedEOF)
}

type fetched struct {
	listed ocispec.Descriptor
	found  *Found // nil without an error is one that was not asked for
	err    error
}

// fetchAhead fetches in the background; the channel's room bounds how much.
func (p *pass) fetchAhead(ctx context.Context) <-chan chan fetched {
	queue := make(chan chan fetched, store.Workers-1)
	go func() {
		defer close(queue)
		for _, d := range p.candidates {
			r := make(chan fetched, 1)
			select {
			case queue <- r:
			case <-ctx.Done():
				return
			}
			go func() {
				found, err := p.fetch(ctx, d)
				r <- fetched{d, found, err}
			}()
		}
	}()
	return queue
}

func (p *pass) fetch(ctx context.Context, d ocispec.Descriptor) (*Found, error) {
	manifest, err := p.getManifest(ctx, d)
	if errors.Is(err, ErrNotFound) && !p.lookup.byContent && !store.MayBeBundle(d) {
		p.add(&p.foreign)
		return nil, nil
	}
	if err != nil {
		return nil, p.malformed(d, err)
	}
	named := store.IsBundleType(d.ArtifactType)
	if p.lookup.byContent {
		if named, err = namesBundle(d, manifest); err != nil {
			return nil, &MalformedError{d.Digest.String(), err}
		}
		if !named && !store.MayBeBundle(d) {
			p.add(&p.foreign)
			return nil, nil
		}
	}
	m, err := readManifest(manifest)
	if err != nil {
		return nil, &MalformedError{d.Digest.String(), err}
	}
	if !named && !store.IsBundleType(m.ArtifactType) {
		p.add(&p.foreign)
		return nil, nil
	}
	layer, err := bundleLayer(manifest, p.artifact.descriptor.Digest)
	if err != nil {
		return nil, &MalformedError{d.Digest.String(), err}
	}
	said := cmp.Or(d.Annotations[predicateAnnotation], m.Annotations[predicateAnnotation])
	if kind := p.kindOf(layer); kind != newLayer {
		return nil, p.again(d, kind, said)
	}
	data, err := p.get(ctx, layer)
	if err != nil {
		return nil, p.malformed(d, err)
	}
	b, err := attest.ParseBundle(data)
	if err == nil && (b.Format() == attest.RunProof) != (layer.MediaType == attest.RunProofMediaType) {
		err = fmt.Errorf("its media type is %s, and its content of another", layer.MediaType)
	}
	if err == nil && len(b.UnverifiedPredicateType()) > limits.PredicateType {
		err = fmt.Errorf("its predicate type has %d bytes, want at most %d", len(b.UnverifiedPredicateType()), limits.PredicateType)
	}
	if err != nil {
		p.learn(layer, badLayer)
		return nil, &MalformedError{d.Digest.String(), err}
	}
	found := &Found{Referrer: d.Digest.String(), MediaType: layer.MediaType, PredicateType: b.UnverifiedPredicateType(), Data: data, Bundle: b}
	found.stored = store.Referrer{
		Bundle: store.Item{Descriptor: layer, Content: data}, Manifest: store.Item{Descriptor: asListed(d, m), Content: manifest},
	}
	if at, err := time.Parse(time.RFC3339, m.Annotations[ocispec.AnnotationCreated]); err == nil && at.UTC().Year() <= 9999 && at.UTC().Year() >= 0 {
		found.Created = at.UTC() // JSON has no offset of a day, nor a year after 9999, and time.Parse has both
	}
	if p.wants(found.PredicateType) {
		return found, nil
	}
	kind := unwantedLayer
	if found.PredicateType == "" {
		kind = badLayer
	}
	p.learn(layer, kind)
	if p.wants(said) || kind == badLayer { // what is wanted may be hidden in it
		return nil, &MalformedError{d.Digest.String(), fmt.Errorf("it says that its predicate type is %q, and its statement says %q", said, found.PredicateType)}
	}
	p.add(&p.filtered)
	return nil, nil
}

// malformed tells what is wrong with one referrer from what is wrong with the registry.
func (l *Listing) malformed(d ocispec.Descriptor, err error) error {
	var unfit *store.DescriptorError
	switch {
	case errors.As(err, &unfit), errors.Is(err, ErrLayout): // such as a blob that is not a file
		return &MalformedError{d.Digest.String(), err}
	case errors.Is(err, ErrNotFound):
		return &MalformedError{d.Digest.String(), errors.New("it is listed, and a part of it is not there")}
	case IsOfOne(err):
		return fmt.Errorf("referrer %s: %w", d.Digest, err)
	}
	return err
}

func (l *Listing) add(count *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*count++
}
