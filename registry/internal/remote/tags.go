package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
)

// tagsPerPage is how many tags a registry is asked for at once; it may give fewer, or all.
const tagsPerPage = 1000

// tags lists a repository's tags page by page, so that a large one is not held. A registry that
// says nothing of a next page after a full one is asked for what follows its last tag:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
func (r *Repository) tags(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		path, last := "/tags/list?n="+strconv.Itoa(tagsPerPage), ""
		total, pages := 0, pages{timeout: r.timeout}
		for range limits.TagPages {
			asked := time.Now()
			page, next, err := r.tagsPage(ctx, path)
			took := time.Since(asked)
			if err != nil {
				yield("", r.failed(err))
				return
			}
			for _, tag := range page { // some of them again, if the registry heeds no last
				if !yield(tag, nil) {
					return
				}
			}
			if total += len(page); total > limits.Tags {
				yield("", r.failed(fmt.Errorf("%s has more than %d tags", r.ref.Path, limits.Tags)))
				return
			}
			switch {
			case next != "":
			case len(page) < tagsPerPage || page[len(page)-1] == last:
				return
			default:
				last = page[len(page)-1]
				next = fmt.Sprintf("/tags/list?n=%d&last=%s", tagsPerPage, url.QueryEscape(last))
			}
			if err := pages.follow(next, len(page) > 0, took); err != nil {
				yield("", r.failed(fmt.Errorf("the list of tags of %s %w", r.ref.Path, err)))
				return
			}
			path = next
		}
		yield("", r.failed(fmt.Errorf("the tags of %s take more than %d pages", r.ref.Path, limits.TagPages)))
	}
}

func (r *Repository) tagsPage(ctx context.Context, path string) (page []string, next string, err error) {
	a, err := r.ask(ctx, request{method: http.MethodGet, path: path})
	if err != nil {
		return nil, "", err
	}
	var list struct {
		Name string          `json:"name"`
		Tags json.RawMessage `json:"tags"`
	}
	err = store.UnmarshalTexts(a.data, &list)
	if err == nil && list.Tags != nil {
		err = store.UnmarshalTexts(list.Tags, &page) // null is an empty list
	}
	switch {
	case err != nil:
		return nil, "", a.odd(fmt.Errorf("the list of tags: %w", err))
	case list.Tags == nil && (list.Name == "" || list.Name != r.ref.Path): // such as an error, or a proxy's answer
		return nil, "", a.odd(errors.New(`the list of tags: want an object with "tags"`))
	}
	if next, err = a.nextPage(); err != nil {
		return nil, "", fmt.Errorf("the list of tags: %w", err)
	}
	return page, next, nil
}

// Snapshot is the repository itself.
func (r *Repository) Snapshot() (store.Store, error) { return r, nil }

// Crawl goes through the tags; the repository is looked at as it is by then.
func (r *Repository) Crawl(ctx context.Context, _ bool) (store.Crawl, error) {
	return store.Crawl{Store: r, Tags: r.tags(ctx)}, nil
}
