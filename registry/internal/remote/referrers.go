package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// referrersAPI is whether a registry lists referrers itself.
type referrersAPI int

const (
	apiUnknown referrersAPI = iota
	apiThere
	apiMissing
)

// errNoAPI says that the registry does not list referrers itself.
var errNoAPI = errors.New("the registry does not list referrers")

func (r *Repository) capability() referrersAPI {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.api
}

func (r *Repository) learned(api referrersAPI) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.api = api
}

// Referrers asks the registry, and reads the index under the fallback tag if it says that it has no list. A page, or
// whatever else it answers with success in place of a list, is an error: the index may be older than the list, and what
// the list has, rejections too, might be missing. It does not read what is listed.
func (r *Repository) Referrers(ctx context.Context, subject digest.Digest, _ bool) ([]ocispec.Descriptor, error) {
	if r.capability() != apiMissing {
		found, err := r.listByAPI(ctx, subject)
		if !errors.Is(err, errNoAPI) {
			if err == nil {
				r.learned(apiThere)
			}
			return found, r.failed(err)
		}
		r.learned(apiMissing)
	}
	index, err := r.readIndex(ctx, subject)
	if err != nil {
		return nil, err
	}
	return index.Manifests, nil
}

// listByAPI follows the pages of the referrers API. Filtering is left to the caller, since not
// every registry filters and what is foreign is counted.
func (r *Repository) listByAPI(ctx context.Context, subject digest.Digest) ([]ocispec.Descriptor, error) {
	var all []ocispec.Descriptor
	seen := map[digest.Digest]bool{}
	path, total := "/referrers/"+subject.String(), 0
	pages := pages{timeout: r.timeout}
	for n := range limits.ReferrerPages {
		asked := time.Now()
		page, size, next, err := r.referrersPage(ctx, path)
		switch {
		case n > 0 && errors.Is(err, errNoAPI): // nor are the pages before it to be forgotten
			err = fmt.Errorf("page %d of the referrers of %s is not there", n+1, subject)
		case n > 0 && err != nil:
			err = fmt.Errorf("page %d: %w", n+1, err)
		}
		if err != nil {
			return nil, err
		}
		if total += size; total > 4*limits.RegistryContent {
			return nil, fmt.Errorf("the list of referrers of %s is too long: want at most %d bytes", subject, 4*limits.RegistryContent)
		}
		before := len(all)
		for _, d := range page {
			if !seen[d.Digest] {
				seen[d.Digest] = true
				all = append(all, d)
			}
		}
		if len(all) > limits.Referrers {
			return nil, fmt.Errorf("%s has more than %d referrers", subject, limits.Referrers)
		}
		if next == "" {
			return all, nil
		}
		if err := pages.follow(next, len(all) > before, time.Since(asked)); err != nil {
			return nil, fmt.Errorf("the list of referrers of %s %w", subject, err)
		}
		path = next
	}
	return nil, fmt.Errorf("the referrers of %s take more than %d pages", subject, limits.ReferrerPages)
}

func (r *Repository) referrersPage(ctx context.Context, path string) (page []ocispec.Descriptor, size int, next string, err error) {
	a, err := r.ask(ctx, request{method: http.MethodGet, path: path, header: http.Header{"Accept": {ocispec.MediaTypeImageIndex}}})
	var refusal *answerError
	if errors.As(err, &refusal) && !refusal.token {
		if refusal.denied() {
			return nil, 0, "", r.noList(refusal)
		}
		switch refusal.status {
		case http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented:
			if !refusal.has("NAME_UNKNOWN", "NAME_INVALID") { // nor does it matter where a redirect led: ghcr.io answers so
				return nil, 0, "", errNoAPI
			}
		}
	}
	if err != nil {
		return nil, 0, "", err
	}
	mediaType, err := mediaTypeOf(a.header.Get("Content-Type"), a.data)
	switch {
	case err != nil:
		return nil, 0, "", a.odd(fmt.Errorf("the list of referrers: %w", err))
	case mediaType != ocispec.MediaTypeImageIndex:
		return nil, 0, "", a.odd(errors.New("the list of referrers: want an image index, or 404"))
	case strings.Trim(strings.Join(a.header.Values("OCI-Filters-Applied"), ","), ", ") != "":
		return nil, 0, "", a.odd(errors.New("the list of referrers: it is filtered, which was not asked for"))
	}
	var index ocispec.Index
	if err := store.Unmarshal(a.data, &index); err != nil {
		return nil, 0, "", fmt.Errorf("the list of referrers: %w", err)
	}
	if index.Manifests == nil && !hasManifests(a.data) {
		return nil, 0, "", a.odd(fmt.Errorf("the list of referrers %w", errNoManifests))
	}
	if next, err = a.nextPage(); err != nil {
		err = fmt.Errorf("the list of referrers: %w", err)
	}
	return index.Manifests, len(a.data), next, err
}

// errNoManifests says that an index does not say that it lists none.
var errNoManifests = errors.New("has no member manifests")

// hasManifests says whether an index lists descriptors, or none: null is written for that, too.
func hasManifests(index []byte) bool {
	var m struct {
		Manifests json.RawMessage `json:"manifests"`
	}
	return json.Unmarshal(index, &m) == nil && m.Manifests != nil
}

// noList says that a registry lets us read an artifact but not the list of its referrers. The index under the fallback
// tag cannot replace the list: what the list has, rejections too, is missing there.
func (r *Repository) noList(refusal *answerError) error {
	failed := &store.Error{Target: r.ref.Host, Err: &refusedError{
		fmt.Sprintf("the list of what refers to the artifact is refused (%s), the artifact itself is not: %s", refusal.why(), r.source), refusal,
	}}
	if !r.source.sent() {
		failed.Hint = r.loginHint()
	}
	return failed
}

// pages keeps a list from going on for ever, or nowhere, at a minute for each page.
type pages struct {
	timeout time.Duration // for one answer
	waited  time.Duration // for all so far
	been    map[string]bool
	barren  int // in a row
}

func (p *pages) follow(next string, news bool, took time.Duration) error {
	p.waited += took
	if p.barren++; news {
		p.barren = 0
	}
	switch {
	case p.been[next]:
		return errors.New("goes in circles")
	case p.waited > limits.ListAnswers*p.timeout:
		return fmt.Errorf("takes longer than %s, which is %d times what one answer may", limits.ListAnswers*p.timeout, limits.ListAnswers)
	case p.barren > limits.BarrenPages:
		return fmt.Errorf("has more than %d pages with nothing new", limits.BarrenPages)
	case p.been == nil:
		p.been = map[string]bool{}
	}
	p.been[next] = true
	return nil
}

// link has what was pushed listed. A registry that lists referrers does so by itself, but
// perhaps not at once.
func (r *Repository) link(ctx context.Context, subject digest.Digest, pushed []ocispec.Descriptor) error {
	wait := 50 * time.Millisecond
	for r.capability() != apiMissing {
		listed, err := r.Referrers(ctx, subject, false)
		if err != nil {
			return err
		}
		if r.capability() == apiMissing {
			break
		}
		missing := slices.DeleteFunc(slices.Clone(pushed), func(d ocispec.Descriptor) bool { return store.Contains(listed, d.Digest) })
		if len(missing) == 0 {
			return nil
		}
		if wait *= 2; wait > min(5*time.Second, r.timeout) {
			return &store.Error{Target: r.ref.Host, Err: fmt.Errorf("the registry took %s and does not list it as a referrer of %s", missing[0].Digest, subject)}
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	return r.updateIndex(ctx, subject, pushed)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
