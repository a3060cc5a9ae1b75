package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// A registry without the referrers API keeps an artifact's referrers in an index under a tag,
// which each writer reads, adds to and writes back. Registries do not compare and swap: of two
// that write at once, one entry is lost without an error. What is done about it:
//
//   - between reading and writing there is nothing but two requests, and If-Match, where the
//     registry offered an ETag: the few that obey it make it a compare and swap;
//   - after writing the index is read again, several times within a time that grows with the
//     requests' own and with the company that a writer has noticed;
//   - a writer puts back whatever it has seen in the index, its own entries and others',
//     until the index has been whole for that long: as long as any writer is there, what it has seen
//     is not lost to a slower one.
//
// What is left: a writer that pauses between its two requests until all others have
// finished can still undo what they did. Attaching again repairs it.

const (
	quietReads  = 3                      // in which the index must be whole
	leastSettle = 250 * time.Millisecond // from the last write to the last of them
	mostSettle  = 10 * time.Second
	mostRefused = 2 // conditions, while what the registry serves stays the same
	mostVain    = 6 // writes, likewise

	// A writer who has noticed others stays longer.
	settleFactor  = 4 // times what reading and writing took
	companyFactor = 8
	leastCompany  = time.Second
)

// fallbackIndex is the index under the fallback tag, as it was read.
type fallbackIndex struct {
	ocispec.Index
	found   bool
	sum     digest.Digest // of what is there
	etag    string
	subject bool // the tag names the subject itself, or an image of which it is a platform, which list no referrers
}

// readIndex reads what stands under the fallback tag. That may be the subject itself: cosign copy leaves such a tag, and
// some registries take the tag for a digest. Or it is the index of the image of which the subject is a platform. An image's platforms
// are not referrers.
func (r *Repository) readIndex(ctx context.Context, subject digest.Digest) (*fallbackIndex, error) {
	tag := store.FallbackTag(subject)
	a, err := r.ask(ctx, request{method: http.MethodGet, path: "/manifests/" + tag,
		header: http.Header{"Accept": {strings.Join(append([]string{ocispec.MediaTypeImageIndex}, manifestTypes...), ", ")}, "Cache-Control": {"no-cache"}}},
		http.StatusNotFound)
	if refusal, ok := errors.AsType[*answerError](err); ok && !refusal.token && refusal.denied() {
		return nil, r.noList(refusal)
	}
	if err != nil {
		return nil, r.failed(err)
	}
	if a.status == http.StatusNotFound {
		return &fallbackIndex{}, nil
	}
	if err := a.checkDigest(); err != nil {
		return nil, r.failed(fmt.Errorf("the index of referrers %s: %w", tag, err))
	}
	index := &fallbackIndex{found: true, sum: digest.FromBytes(a.data), etag: a.header.Get("ETag")}
	if subject.Algorithm().FromBytes(a.data) == subject {
		index.subject = true
		return index, nil
	}
	if _, err := mediaTypeOf(a.header.Get("Content-Type"), a.data); err != nil {
		return nil, r.failed(a.odd(fmt.Errorf("the index of referrers %s: %w", tag, err)))
	}
	if err := store.Unmarshal(a.data, &index.Index); err != nil {
		return nil, r.failed(fmt.Errorf("the index of referrers %s: %w", tag, err))
	}
	referrers, isImage := store.OfSubject(index.Manifests, subject)
	if isImage {
		index.subject, index.Index = true, ocispec.Index{Manifests: referrers}
	}
	switch {
	case index.MediaType != ocispec.MediaTypeImageIndex && index.MediaType != "":
		err := fmt.Errorf("tag %s is not an index of referrers but has media type %q", tag, index.MediaType)
		return nil, &store.Error{Target: r.ref.Host, Err: err, Hint: "clients list under this tag what refers to the artifact: give what has it another tag, and delete this one"}
	case index.Manifests == nil && !index.subject && !hasManifests(a.data):
		return nil, r.failed(a.odd(fmt.Errorf("the index of referrers %s %w", tag, errNoManifests)))
	case len(index.Manifests) > limits.Referrers:
		return nil, r.failed(fmt.Errorf("the index of referrers has %d entries, want at most %d", len(index.Manifests), limits.Referrers))
	}
	return index, nil
}

// errChanged says that the registry has refused a write because of its condition: something else is there than was read.
var errChanged = errors.New("the index of referrers has changed")

// condition is what keeps a write from undoing another. A weak ETag matches nothing (RFC 9110, section 13.1.1).
func (i *fallbackIndex) condition() (name, value string) {
	switch {
	case !i.found:
		return "If-None-Match", "*"
	case i.etag != "" && !strings.HasPrefix(i.etag, "W/"):
		return "If-Match", i.etag
	}
	return "", ""
}

// writeIndex writes the index on condition that it is still the old one, and without where the registry knows no conditions.
func (w *writer) writeIndex(ctx context.Context, old *fallbackIndex, manifests []ocispec.Descriptor) error {
	index := old.Index
	index.Versioned, index.MediaType, index.Manifests = specs.Versioned{SchemaVersion: 2}, ocispec.MediaTypeImageIndex, manifests
	data, err := json.Marshal(index)
	if err != nil {
		return err
	}
	put := func(name, value string) error {
		q := request{method: http.MethodPut, path: "/manifests/" + store.FallbackTag(w.subject), body: data, once: true,
			header: http.Header{"Content-Type": {ocispec.MediaTypeImageIndex}}}
		if name != "" {
			q.header.Set(name, value)
		}
		_, err := w.ask(ctx, q)
		return err
	}
	name, value := old.condition()
	if w.blind {
		name = ""
	}
	err = put(name, value)
	var refusal *answerError
	if name != "" && errors.As(err, &refusal) && !refusal.token && !refusal.immutable() {
		switch status := refusal.status; {
		case status == http.StatusPreconditionFailed, status == http.StatusConflict:
			return errChanged
		case status == http.StatusNotImplemented, status == http.StatusNotModified, status/100 == 4 && !mayRepeat(err) &&
			status != http.StatusUnauthorized && status != http.StatusRequestEntityTooLarge:
			w.blind = true
			err = put("", "")
		}
	}
	if !errors.As(err, &refusal) {
		return err
	}
	switch refused := refusal.status == http.StatusConflict || refusal.status == http.StatusMethodNotAllowed; {
	case refusal.immutable(), old.found && refused:
		return w.immutable(w.subject, refusal)
	}
	return err
}

// immutable says that a registry refuses to move a tag, in the words of some.
func (e *answerError) immutable() bool { return strings.Contains(strings.ToLower(e.said), "immutable") }

func (r *Repository) immutable(subject digest.Digest, cause error) error {
	return &store.Error{
		Target: r.ref.Host,
		Err:    fmt.Errorf("tag %s, which lists the referrers of an artifact, cannot be written again: the tags of %s are immutable and the registry has no referrers API: %w", store.FallbackTag(subject), r.ref.Path, cause),
		Hint:   "exempt tags that begin with sha256- from immutability, or attach all bundles in one go while there are none",
	}
}

// writer is one that keeps its entries in an index until they stay there.
type writer struct {
	*Repository
	subject digest.Digest

	known  []ocispec.Descriptor // everything that was seen in the index or is to be there
	own    int                  // how many of them, from the first, are ours
	isIn   map[digest.Digest]bool
	slow   time.Duration // the longest that reading and writing took
	others bool          // other clients write, too
	fails  int
	since  time.Time // of the last write or the last change
	reads  int       // since then, in which nothing was missing
	begun  bool      // the index was written, or may have been
	taken  bool      // the registry has said that it was
	spared bool      // others' entries were missing, and they were given time to see to it themselves

	failing error // the last refusal
	vain    int   // how often, in a row, the registry served what it did before a write that it took

	blind   bool          // the registry takes no conditions
	refused int           // how often it has refused one, in a row, although what it serves has not changed
	last    digest.Digest // what it served before
}

// updateIndex takes at most as long as one answer may take.
func (r *Repository) updateIndex(ctx context.Context, subject digest.Digest, pushed []ocispec.Descriptor) error {
	w := &writer{Repository: r, subject: subject, isIn: map[digest.Digest]bool{}}
	w.learn(pushed)
	w.own = len(w.known)
	within, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	for {
		done, err := w.step(within)
		if err != nil && ctx.Err() == nil && within.Err() != nil {
			return w.late(err)
		}
		if err != nil || done {
			return err
		}
	}
}

// late says what has kept the index from being written in time.
func (w *writer) late(err error) error {
	why := "the registry was too slow"
	switch {
	case w.others:
		why = "other writers have kept changing it"
	case w.failing != nil && !errors.Is(w.failing, context.DeadlineExceeded): // which ends the time, and is not a reason
		why = w.failing.Error()
	case w.taken:
		why = w.unserved(&fallbackIndex{}).Error()
	case w.begun:
		why = "the registry did not answer when it was written"
	}
	return &store.Error{
		Target: w.ref.Host, Err: fmt.Errorf("the index of referrers %s was not written within %s: %s: %w", store.FallbackTag(w.subject), w.timeout, why, err),
		Hint: HintMaybeUnlisted,
	}
}

// unserved says that a write has no effect.
func (w *writer) unserved(index *fallbackIndex) error {
	if index.subject {
		return fmt.Errorf("tag %s names the artifact itself or an image of it, also after an index of referrers was written to it", store.FallbackTag(w.subject))
	}
	return fmt.Errorf("the registry has taken the index of referrers %s, and does not serve it", store.FallbackTag(w.subject))
}

// learn adds entries to those that are known.
func (w *writer) learn(entries []ocispec.Descriptor) (news bool) {
	for _, d := range entries {
		if d.Digest != "" && !w.isIn[d.Digest] {
			w.isIn[d.Digest], news = true, true
			w.known = append(w.known, d)
		}
	}
	return news
}

// step reads the index once, and writes it if something is missing.
func (w *writer) step(ctx context.Context) (done bool, err error) {
	start := time.Now()
	index, err := w.readIndex(ctx, w.subject)
	if err != nil {
		return false, err
	}
	changed := index.sum != w.last
	if w.last = index.sum; changed {
		w.refused, w.vain = 0, 0
	}
	if w.learn(index.Manifests) && w.begun {
		w.others, w.since, w.reads = true, time.Now(), 0
	}
	missing, own := w.missing(index)
	if !missing {
		if !w.begun { // an earlier writer has done it
			return true, nil
		}
		w.spared = false
		w.reads++
		if w.reads >= quietReads && time.Since(w.since) >= w.settle() {
			return true, nil
		}
		return false, pause(ctx, jitter(w.settle()/quietReads))
	}
	if len(w.known) > limits.Referrers {
		return false, w.failed(fmt.Errorf("%s has more than %d referrers", w.subject, limits.Referrers))
	}
	if w.begun && changed { // it was there, and another client removed it
		w.others = true
	} else if w.begun {
		if w.vain++; w.vain > mostVain {
			return false, w.failed(w.unserved(index))
		}
		if err := pause(ctx, min(20*time.Millisecond<<w.vain, time.Second)); err != nil {
			return false, err
		}
	}
	if !own && !w.spared {
		w.spared, w.since, w.reads = true, time.Now(), 0
		return false, pause(ctx, jitter(w.settle()/quietReads))
	}
	err = w.writeIndex(ctx, index, w.known)
	w.slow = max(w.slow, time.Since(start))
	w.since, w.reads = time.Now(), 0
	var refusal *answerError
	w.taken = w.taken || err == nil
	w.begun = w.begun || !errors.As(err, &refusal) && !errors.Is(err, errChanged) // after which nothing was written
	return false, w.afterWrite(ctx, err)
}

// afterWrite waits for as long as it takes the others to write, or gives up.
func (w *writer) afterWrite(ctx context.Context, err error) error {
	var known *store.Error
	var refusal *answerError
	switch {
	case err == nil:
		w.fails, w.failing = 0, nil
		return pause(ctx, jitter(w.slow))
	case errors.Is(err, errChanged):
		// Who has changed it shows when it is read again; a registry that refuses every condition, or that serves
		// another ETag than it compares, is written to without one.
		w.refused++
		w.blind = w.blind || w.refused > mostRefused
		w.failing = errChanged
		return pause(ctx, jitter(min(w.slow<<min(w.refused, 6)+20*time.Millisecond, 2*time.Second)))
	case errors.As(err, &known):
		return err
	}
	w.failing = err
	w.blind = w.blind || w.fails == maxRetries-2 // it may fail because of the condition: the last time it is asked without
	if w.fails++; w.fails >= maxRetries || !mayRepeat(err) {
		return w.failed(err)
	}
	wait := jitter(min(w.slow<<min(w.fails, 6)+20*time.Millisecond, 2*time.Second))
	if !errors.As(err, &refusal) || !refusal.busy {
		return pause(ctx, wait)
	}
	if refusal.wait > w.timeout {
		return &store.Error{
			Target: w.ref.Host, Err: fmt.Errorf("it asks to be left alone for %s: %w", refusal.wait.Round(time.Second), err),
			Hint: HintNotListedYet,
		}
	}
	return pause(ctx, max(wait, refusal.wait+jitter(20*time.Millisecond))) // and not all at once
}

// mayRepeat tells what may pass by itself from what will not.
func mayRepeat(err error) bool {
	var refusal *answerError
	if errors.As(err, &refusal) {
		return refusal.status >= 500 || refusal.status == http.StatusTooManyRequests || refusal.status == http.StatusRequestTimeout
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// missing says whether the index lacks something that is known, and something of our own.
func (w *writer) missing(index *fallbackIndex) (missing, own bool) {
	there := make(map[digest.Digest]bool, len(index.Manifests))
	for _, d := range index.Manifests {
		there[d.Digest] = true
	}
	for i, d := range w.known {
		if !there[d.Digest] {
			missing, own = true, own || i < w.own
		}
	}
	return missing, own
}

func (w *writer) settle() time.Duration {
	if w.others {
		return min(max(leastCompany, companyFactor*w.slow), mostSettle, w.timeout/2)
	}
	return min(max(leastSettle, settleFactor*w.slow), mostSettle, w.timeout/2)
}

// jitter is about d, so that writers who met do not meet again.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d+time.Millisecond)
}
