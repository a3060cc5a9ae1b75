package registry

import (
	"context"
	"errors"
	"iter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/registry/internal/layout"
	"github.com/runattest/runattest/registry/internal/remote"
	"github.com/runattest/runattest/registry/internal/store"
)

// openStore opens what a reference leads to.
func openStore(ref Reference, o Options) (store.Store, error) {
	var opened store.Store
	var err error
	if ref.IsLayout() {
		opened, err = layout.Open(ref.path)
	} else {
		opened, err = remote.New(remote.Name{Host: ref.host, Path: ref.path}, remote.Options{
			CA: o.CA, InsecureHTTP: o.InsecureHTTP, Timeout: o.Timeout, UserAgent: o.UserAgent,
		})
	}
	return exported{opened}, exportedError(err)
}

// CreateLayout makes an empty OCI layout unless there is something: a tarball if the name ends in
// .tar, else a folder.
func CreateLayout(path string) error { return exportedError(layout.Create(path)) }

// exported is a store whose errors are those of this package.
type exported struct{ store.Store }

var _ store.Store = exported{}

func (e exported) Resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	d, data, err := e.Store.Resolve(ctx, name)
	return d, data, exportedError(err)
}

func (e exported) Fetch(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	data, err := e.Store.Fetch(ctx, d)
	return data, exportedError(err)
}

func (e exported) Exists(ctx context.Context, d ocispec.Descriptor) (bool, error) {
	there, err := e.Store.Exists(ctx, d)
	return there, exportedError(err)
}

func (e exported) Referrers(ctx context.Context, subject digest.Digest, anyLabel bool) ([]ocispec.Descriptor, error) {
	all, err := e.Store.Referrers(ctx, subject, anyLabel)
	return all, exportedError(err)
}

func (e exported) Add(ctx context.Context, all []store.Addition, stored func()) error {
	return exportedError(e.Store.Add(ctx, all, stored))
}

func (e exported) Snapshot() (store.Store, error) {
	now, err := e.Store.Snapshot()
	return exported{now}, exportedError(err)
}

func (e exported) Crawl(ctx context.Context, anyLabel bool) (store.Crawl, error) {
	c, err := e.Store.Crawl(ctx, anyLabel)
	c.Store, c.Tags = exported{c.Store}, exportedErrors(c.Tags)
	return c, exportedError(err)
}

func exportedErrors(tags iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for tag, err := range tags {
			if !yield(tag, exportedError(err)) {
				return
			}
		}
	}
}

// exportedError is an error of a store, as an *Error where it is one, or wraps one.
func exportedError(err error) error {
	var failed *store.Error
	switch {
	case !errors.As(err, &failed):
		return err
	case err == error(failed):
		return (*Error)(failed)
	}
	return &wrapping{err, (*Error)(failed)}
}

// wrapping is an error that wraps an Error.
type wrapping struct {
	error
	wrapped *Error
}

func (w *wrapping) Unwrap() error { return w.error }

// As gives the Error.
func (w *wrapping) As(target any) bool {
	into, ok := target.(**Error)
	if ok {
		*into = w.wrapped
	}
	return ok
}
