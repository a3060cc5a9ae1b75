package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// RunsOptions say which runs of a repository are read, and what of them; the zero value is all.
type RunsOptions struct {
	// Of are the runs; nil is every run of the repository.
	Of []identity.ID
	// Ancestors takes the runs from which those descend, too. Parents stand in declarations, each
	// of which is hashed and held against the identity that was asked for, so that nothing else of the
	// repository is looked at, however much there is.
	Ancestors bool
	// PredicateTypes are the attestations that are wanted, as List takes them; empty is all.
	PredicateTypes []string
	// ByContent, if it is not nil, finds those for whose predicate type it is true, as ListByContent does. PredicateTypes are not
	// looked at then.
	ByContent func(predicateType string) bool
}

// StoredRun is what a repository has of a run.
type StoredRun struct {
	Run         identity.ID
	Declaration *identity.Declaration // whose identity is Run; nil if the repository does not have the run
	Found       *Found                // one of its attestations; nil if it has none of the types wanted
}

// SkippedError says that something of one run was passed over: content that is not what it should
// be, or is not there.
type SkippedError struct {
	Run identity.ID // zero if it is unknown
	Err error
}

func (e *SkippedError) Error() string {
	if e.Run.IsZero() {
		return fmt.Sprint(e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Run, e.Err)
}
func (e *SkippedError) Unwrap() error { return e.Err }

// Runs gives the runs of a repository, each once for each of its attestations, or once without. Several
// requests are under way at once, and no more than eight runs and eight attestations are held. The order is
// that of the repository's tags, or of Of and then parents, generation by generation. After a *SkippedError
// the next one follows; any other error ends the sequence.
func (t *Target) Runs(ctx context.Context, o RunsOptions) iter.Seq2[StoredRun, error] {
	return func(yield func(StoredRun, error) bool) {
		if err := t.check(); err != nil {
			yield(StoredRun{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		c, err := t.crawl(ctx, o)
		if err != nil {
			yield(StoredRun{}, err)
			return
		}
		for _, d := range c.broken {
			if !yield(StoredRun{}, &SkippedError{Err: &MalformedError{d.Digest.String(), errors.New("it is listed, and cannot be read")}}) {
				return
			}
		}
		given := 0 // of the run at hand
		for r := range c.attestations(ctx) {
			s := <-r
			one := StoredRun{s.run.id, s.run.declaration, s.found}
			switch {
			case s.err != nil:
				err := s.run.about(s.err)
				if !yield(StoredRun{Run: s.run.id}, err) || !errors.As(err, new(*SkippedError)) {
					return
				}
				continue
			case s.last && given > 0 || s.last && s.run.err != nil:
				given = 0
				continue
			case !s.last && (s.found == nil || !s.run.listing.isFirst(s.found)):
				continue
			}
			if !s.last {
				given++
				t.count()
			}
			if !yield(one, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(StoredRun{}, err)
		}
	}
}

// crawl goes from run to run.
type crawl struct {
	*Target // whose store is that of the crawl
	o       RunsOptions
	queue   []identity.ID
	seen    map[identity.ID]bool
	tagged  map[identity.ID]bool     // runs whose tags were listed
	absent  map[identity.ID]bool     // parents that are not there, and have not been listed so far
	listed  iter.Seq2[string, error] // tags, where all runs are wanted
	broken  []ocispec.Descriptor     // referrers that cannot be read, of an unknown run
	spent   atomic.Int64             // that of the passes over all listings
}

func (t *Target) crawl(ctx context.Context, o RunsOptions) (*crawl, error) {
	all, err := t.store.Crawl(ctx, o.ByContent != nil)
	if err != nil {
		return nil, err
	}
	c := &crawl{
		Target: &Target{ref: t.ref, store: all.Store, timeout: t.timeout, count: t.count},
		o:      o, seen: map[identity.ID]bool{}, tagged: map[identity.ID]bool{}, absent: map[identity.ID]bool{}, listed: all.Tags, broken: all.Broken,
	}
	if o.Of != nil {
		c.listed = nil
		c.want(o.Of)
	}
	return c, nil
}

// want enqueues runs that are not known yet.
func (c *crawl) want(ids []identity.ID) {
	for _, id := range ids {
		if !c.seen[id] && !id.IsZero() {
			c.seen[id] = true
			c.queue = append(c.queue, id)
		}
	}
}

// aRun is what a run's attestations are found by.
type aRun struct {
	id          identity.ID
	declaration *identity.Declaration
	listing     *pass // nil if the repository does not have the run
	err         error
}

// about says in an error which run it is about, and whether only that. One without a run is about the list of tags.
func (r *aRun) about(err error) error {
	var unfit *store.DescriptorError
	if r.id.IsZero() {
		return err
	}
	if IsOfOne(err) || errors.Is(err, ErrNotFound) || errors.As(err, &unfit) {
		return &SkippedError{r.id, err}
	}
	return err
}

// step is an attestation of a run, or the last that is to be said of it.
type step struct {
	run   *aRun
	found *Found
	err   error
	last  bool
}

// attestations fetches what the runs have, in their order; the channel's room bounds how much.
func (c *crawl) attestations(ctx context.Context) <-chan chan step {
	queue := make(chan chan step, store.Workers-1)
	enqueue := func(get func() step) bool {
		r := make(chan step, 1)
		select {
		case queue <- r:
		case <-ctx.Done():
			return false
		}
		go func() { r <- get() }()
		return true
	}
	go func() {
		defer close(queue)
		for run := range c.runs(ctx) {
			var candidates []ocispec.Descriptor
			if run.listing != nil {
				candidates = run.listing.candidates
			}
			for _, d := range candidates {
				fetch := func() step {
					found, err := run.listing.fetch(ctx, d)
					return step{run, found, err, false}
				}
				if !enqueue(fetch) {
					return
				}
			}
			if run.err != nil && !enqueue(func() step { return step{run: run, err: run.err} }) {
				return
			}
			if !enqueue(func() step { return step{run: run, last: true} }) {
				return
			}
		}
	}()
	return queue
}

// runs finds the runs, a few ahead of the caller and always in the same order.
func (c *crawl) runs(ctx context.Context) <-chan *aRun {
	out := make(chan *aRun)
	go func() {
		defer close(out)
		listed := func() (string, error, bool) { return "", nil, false }
		if c.listed != nil {
			next, stop := iter.Pull2(c.listed)
			defer stop()
			listed = next
		}
		var ahead []chan *aRun
		for {
			for len(ahead) < store.Workers {
				id, err := c.next(listed)
				if err == nil && id.IsZero() {
					break
				}
				r := make(chan *aRun, 1)
				ahead = append(ahead, r)
				if err != nil {
					r <- &aRun{err: err}
					break
				}
				go func() { r <- c.look(ctx, id) }()
			}
			if len(ahead) == 0 {
				return
			}
			run := <-ahead[0]
			ahead = ahead[1:]
			c.listedIsThere(run)
			if c.o.Ancestors && run.declaration != nil {
				c.want(run.declaration.Parents())
			}
			select {
			case out <- run:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// listedIsThere makes an error of a run that has a tag and is not there: it would be left out in silence.
func (c *crawl) listedIsThere(run *aRun) {
	switch {
	case run.declaration != nil || run.err != nil:
	case c.tagged[run.id]:
		run.err = fmt.Errorf("%w: tag %s is listed, and its manifest is not there", ErrMismatch, runTag(run.id))
	default:
		c.absent[run.id] = true
	}
}

// next is the next run to look at; the zero ID if there is none, or none yet.
func (c *crawl) next(listed func() (string, error, bool)) (identity.ID, error) {
	for len(c.queue) == 0 {
		tag, err, ok := listed()
		if !ok || err != nil {
			return identity.ID{}, err
		}
		id := runOf(tag)
		if c.tagged[id] = true; c.absent[id] {
			delete(c.absent, id)
			delete(c.seen, id)
		}
		c.want([]identity.ID{id})
	}
	if len(c.seen) > limits.Lineage {
		return identity.ID{}, fmt.Errorf("%s: more than %d runs", c.ref.Repository(), limits.Lineage)
	}
	id := c.queue[0]
	c.queue = c.queue[1:]
	return id, nil
}

// look finds a run by its tag, and holds its declaration against its identity.
func (c *crawl) look(ctx context.Context, id identity.ID) *aRun {
	run := &aRun{id: id}
	ref := c.ref.WithRun(id)
	a, err := c.resolve(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return run
	}
	if err == nil {
		run.declaration, err = c.Declaration(ctx, a)
	}
	if err == nil {
		var listing *Listing
		if c.o.ByContent != nil {
			listing, err = c.ListByContent(ctx, a, c.o.ByContent)
		} else {
			listing, err = c.List(ctx, a, c.o.PredicateTypes...)
		}
		if err == nil {
			run.listing = listing.pass(&c.spent)
		}
	}
	run.err = err
	return run
}
