// Package remote keeps attestations in a repository of an OCI registry:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
//
// wire.go asks and reads answers, credentials.go finds credentials where Docker and Podman keep them, failed.go says what
// there is to do about a refusal. fallback.go is for registries without the referrers API.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/runattest/runattest/registry/internal/store"
)

// Repository is a repository of a registry. New makes it.
type Repository struct {
	ref      Name
	repo     registry.Reference
	again    *auth.Client // asks several times
	once     *auth.Client // asks once: what is not to be repeated unseen
	source   *credentialSource
	timeout  time.Duration
	plain    bool // it is asked in plain HTTP
	insecure bool // because the user wants that of whatever registry

	linking chan struct{} // updates of one index take turns here

	mu  sync.Mutex
	api referrersAPI
}

var _ store.Store = (*Repository)(nil)

// New makes a Repository. It opens no connection.
func New(ref Name, o Options) (*Repository, error) {
	again, err := newTransport(ref, o, maxRetries)
	if err != nil {
		return nil, err
	}
	single, err := newTransport(ref, o, 0)
	if err != nil {
		return nil, err
	}
	r := &Repository{
		ref: ref, repo: registry.Reference{Registry: ref.Host, Repository: ref.Path},
		timeout: o.Timeout, plain: ref.isPlain(o), insecure: o.InsecureHTTP, linking: make(chan struct{}, 1),
	}
	r.source = &credentialSource{host: r.repo.Host(), repository: ref.Path}
	cache := auth.NewCache()
	client := func(transport http.RoundTripper) *auth.Client {
		c := &auth.Client{Client: &http.Client{Transport: listener{transport}}, Credential: r.source.get, Cache: cache}
		c.SetUserAgent(o.UserAgent)
		if ref.isLoopback() { // whose token service is here too
			c.BlockedRealmPrefixes = []netip.Prefix{}
		}
		return c
	}
	r.again, r.once = client(again), client(single)
	return r, nil
}

// Resolve gets a manifest by tag or digest.
func (r *Repository) Resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	d, data, err := r.manifest(ctx, name)
	if err = r.named(name, r.failed(err)); err != nil {
		return d, nil, err
	}
	if want := digest.Digest(name); want.Validate() == nil && want != d.Digest {
		return d, nil, r.failed(fmt.Errorf("%s: %w: content with the digest %s", name, store.ErrMismatch, d.Digest))
	}
	return d, data, nil
}

// named says in an error what was looked for.
func (r *Repository) named(name string, err error) error {
	var missing *store.MissingError
	switch {
	case errors.As(err, &missing):
		return store.NoSuch(r.ref.String(), name).Because(missing)
	case errors.Is(err, store.ErrNotFound):
		return store.NoSuch(r.ref.String(), name)
	}
	return err
}

// Exists asks whether there is a blob of that size.
func (r *Repository) Exists(ctx context.Context, d ocispec.Descriptor) (bool, error) {
	a, err := r.ask(ctx, request{method: http.MethodHead, path: "/blobs/" + d.Digest.String()}, http.StatusNotFound)
	if err != nil || a.status == http.StatusNotFound {
		return false, r.failed(err)
	}
	length := a.header.Get("Content-Length") // which a page in its place has another of
	return length == "" || length == strconv.FormatInt(d.Size, 10), nil
}

// Add stores one thing after the other.
func (r *Repository) Add(ctx context.Context, all []store.Addition, stored func()) error {
	if err := r.ensure(ctx, store.EmptyConfig()); err != nil {
		return err
	}
	for _, a := range all {
		if run := a.Declaration; run != nil {
			err := r.ensure(ctx, run.Layer)
			if err == nil {
				err = r.failed(r.put(ctx, run.Manifest, run.Tag))
			}
			if err != nil {
				return err
			}
		}
		if err := r.attach(ctx, a.Subject, a.Referrers, stored); err != nil {
			return err
		}
	}
	return nil
}

// attach lists what it has pushed, also when it could not push the rest.
func (r *Repository) attach(ctx context.Context, subject digest.Digest, referrers []store.Referrer, stored func()) error {
	pushed := make([]ocispec.Descriptor, len(referrers))
	err := store.InParallel(ctx, len(referrers), func(ctx context.Context, i int) error {
		err := r.upload(ctx, referrers[i].Bundle)
		if m := referrers[i].Manifest; err == nil {
			err = r.put(ctx, m, m.Digest.String())
		}
		if err != nil {
			return r.failed(err)
		}
		pushed[i] = referrers[i].Manifest.Descriptor
		stored()
		return nil
	})
	pushed = slices.DeleteFunc(pushed, func(d ocispec.Descriptor) bool { return d.Digest == "" })
	if len(pushed) == 0 {
		return err
	}
	select {
	case r.linking <- struct{}{}:
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
	defer func() { <-r.linking }()
	return errors.Join(err, r.link(ctx, subject, pushed))
}

// ensure stores content unless it is there.
func (r *Repository) ensure(ctx context.Context, c store.Item) error {
	there, err := r.Exists(ctx, c.Descriptor)
	if err != nil || there {
		return err
	}
	return r.failed(r.upload(ctx, c))
}
