package registry

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
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/runattest/runattest/internal/limits"
)

// A registry without the referrers API keeps an artifact's referrers in an index under a tag,
// which each writer reads, adds to and writes back. Registries do not compare and swap: two
// that write at once lose one's entry, and nobody is told. What is done about it:
//
//   - between reading and writing there is nothing but two requests, and If-Match, where the
//     registry offered an ETag: the few that obey it make it a compare and swap;
//   - after writing the index is read again, several times within a time that grows with the
//     requests' own and with the company that a writer has noticed;
//   - a writer puts back whatever it has seen in the index, its own entries and others',
//     until the index has been whole for that long: as long as any writer is there, what it has seen
//     is not lost to a slower one.
//
// What is left: a writer that is held up between its two requests for longer than everybody
// else stays can still undo what they did. Attaching again repairs it.

const (
	quietReads  = 3                      // in which the index must be whole
	leastSettle = 250 * time.Millisecond // from the last write to the last of them
	mostSettle  = 10 * time.Second
	patience    = 3 * time.Minute // with writers who never leave

	// A writer who has noticed others stays longer.
	settleFactor  = 4 // times what reading and writing took
	companyFactor = 8
	leastCompany  = time.Second
)

// fallbackIndex is the index under the fallback tag, as it was read.
type fallbackIndex struct {
	ocispec.Index
	found bool
	etag  string
}

func (r *remoteStore) readIndex(ctx context.Context, subject digest.Digest) (*fallbackIndex, error) {
	resp, err := r.request(ctx, r.repo.Client, http.MethodGet, "/manifests/"+fallbackTag(subject), nil,
		http.Header{"Accept": {ocispec.MediaTypeImageIndex}, "Cache-Control": {"no-cache"}})
	if err != nil {
		return nil, r.failed(err)
	}
	defer resp.Body.Close()
	index := &fallbackIndex{}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return index, nil
	default:
		return nil, r.failed(readError(resp))
	}
	index.found, index.etag = true, resp.Header.Get("ETag")
	data, err := readAnswer(resp.Body)
	if err != nil {
		return nil, r.failed(err)
	}
	if said := resp.Header.Get("Docker-Content-Digest"); said != "" && strings.HasPrefix(said, "sha256:") && digest.FromBytes(data).String() != said {
		return nil, r.failed(fmt.Errorf("%w: the index of referrers has digest %s, and the registry says %s", ErrMismatch, digest.FromBytes(data), said))
	}
	if err := unmarshal(data, &index.Index); err != nil {
		return nil, r.failed(fmt.Errorf("the index of referrers %s: %w", fallbackTag(subject), err))
	}
	switch {
	case index.MediaType != ocispec.MediaTypeImageIndex && index.MediaType != "":
		return nil, r.failed(fmt.Errorf("tag %s is no index of referrers but of media type %q", fallbackTag(subject), index.MediaType))
	case len(index.Manifests) > limits.Referrers:
		return nil, r.failed(fmt.Errorf("the index of referrers has %d entries, want at most %d", len(index.Manifests), limits.Referrers))
	}
	return index, nil
}

// errChanged says that the registry obeys If-Match and somebody else has written.
var errChanged = errors.New("the index of referrers has changed")

func (r *remoteStore) writeIndex(ctx context.Context, subject digest.Digest, old *fallbackIndex, manifests []ocispec.Descriptor) error {
	index := old.Index
	index.Versioned, index.MediaType, index.Manifests = specs.Versioned{SchemaVersion: 2}, ocispec.MediaTypeImageIndex, manifests
	data, err := json.Marshal(index)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {ocispec.MediaTypeImageIndex}}
	switch {
	case old.etag != "":
		header.Set("If-Match", old.etag)
	case !old.found:
		header.Set("If-None-Match", "*")
	}
	resp, err := r.request(ctx, r.once, http.MethodPut, "/manifests/"+fallbackTag(subject), data, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		return nil
	}
	answer := readError(resp)
	switch text := strings.ToLower(answer.Error()); {
	case strings.Contains(text, "immutable"):
		return r.immutable(subject, answer)
	case resp.StatusCode == http.StatusPreconditionFailed:
		return errChanged
	case old.found && (resp.StatusCode == http.StatusConflict || resp.StatusCode == http.StatusMethodNotAllowed):
		return r.immutable(subject, answer)
	}
	if wait, ok := retryAfter(resp); ok {
		return &busyError{answer, wait}
	}
	return answer
}

// busyError is an answer that says for how long the registry wants to be left alone.
type busyError struct {
	*errcode.ErrorResponse
	wait time.Duration
}

func (e *busyError) Unwrap() error { return e.ErrorResponse }

func (r *remoteStore) immutable(subject digest.Digest, cause error) error {
	return &Error{
		Target: r.ref.host,
		Err:    fmt.Errorf("tag %s, which lists the referrers of an artifact, cannot be written again: the tags of %s are immutable and the registry has no referrers API: %w", fallbackTag(subject), r.ref.path, cause),
		Hint:   "exempt tags that begin with sha256- from immutability, or attach all bundles in one go while there are none",
	}
}

// writer is one that keeps its entries in an index until they stay there.
type writer struct {
	*remoteStore
	subject digest.Digest

	known  []ocispec.Descriptor // everything that was seen in the index or is to be there
	own    int                  // how many of them, from the first, are ours
	isIn   map[digest.Digest]bool
	slow   time.Duration // the longest that reading and writing took
	others bool          // somebody else writes, too
	fails  int
	since  time.Time // of the last write or the last change
	reads  int       // since then, in which nothing was missing
	begun  bool
	spared bool // others' entries were missing, and they were given time to see to it themselves
}

// updateIndex waits for as long as a registry asks, at most maxRetries times in a row.
func (r *remoteStore) updateIndex(ctx context.Context, subject digest.Digest, pushed []ocispec.Descriptor) error {
	w := &writer{remoteStore: r, subject: subject, isIn: map[digest.Digest]bool{}}
	w.learn(pushed)
	w.own = len(w.known)
	for start := time.Now(); time.Since(start) < patience; {
		done, err := w.step(ctx)
		if err != nil || done {
			return err
		}
	}
	return &Error{Target: r.ref.host, Err: fmt.Errorf("for %s other writers have kept changing the index of referrers %s, or the registry was busy", patience, fallbackTag(subject))}
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
	if w.begun { // it was there, and somebody took it out
		w.others = true
	}
	if !own && !w.spared {
		w.spared, w.since, w.reads = true, time.Now(), 0
		return false, pause(ctx, jitter(w.settle()/quietReads))
	}
	err = w.writeIndex(ctx, w.subject, index, w.known)
	w.slow = max(w.slow, time.Since(start))
	w.since, w.reads = time.Now(), 0
	var busy *busyError
	w.begun = w.begun || !errors.As(err, &busy) // after which nothing was written
	return false, w.afterWrite(ctx, err)
}

// afterWrite waits for as long as it takes the others to write, or gives up.
func (w *writer) afterWrite(ctx context.Context, err error) error {
	var known *Error
	switch {
	case err == nil:
		w.fails = 0
		return pause(ctx, jitter(w.slow))
	case errors.Is(err, errChanged):
		w.others = true
	case errors.As(err, &known):
		return err
	}
	if w.fails++; w.fails >= maxRetries && !errors.Is(err, errChanged) || !mayRepeat(err) {
		return w.failed(err)
	}
	wait := jitter(min(w.slow<<min(w.fails, 6)+20*time.Millisecond, 2*time.Second))
	var busy *busyError
	if !errors.As(err, &busy) {
		return pause(ctx, wait)
	}
	if busy.wait > min(w.timeout, patience) {
		return &Error{
			Target: w.ref.host, Err: fmt.Errorf("it asks to be left alone for %s: %w", busy.wait.Round(time.Second), err),
			Hint: "what is attached is not listed yet: attach it again then, or with a longer --timeout",
		}
	}
	return pause(ctx, max(wait, busy.wait+jitter(20*time.Millisecond))) // and not all at once
}

// mayRepeat tells what may pass by itself from what will not.
func mayRepeat(err error) bool {
	var answer *errcode.ErrorResponse
	if errors.As(err, &answer) {
		return answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout
	}
	return errors.Is(err, errChanged) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
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
		return min(max(leastCompany, companyFactor*w.slow), mostSettle)
	}
	return min(max(leastSettle, settleFactor*w.slow), mostSettle)
}

// jitter is about d, so that writers who met do not meet again.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d+time.Millisecond)
}
