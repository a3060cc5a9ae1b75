package registry

import (
	"cmp"
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
)

// remoteStore is a repository of a registry.
type remoteStore struct {
	ref      Reference
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

var _ store = (*remoteStore)(nil)

func newRemoteStore(ref Reference, o Options) (*remoteStore, error) {
	again, err := newTransport(ref, o, maxRetries)
	if err != nil {
		return nil, err
	}
	single, err := newTransport(ref, o, 0)
	if err != nil {
		return nil, err
	}
	r := &remoteStore{
		ref: ref, repo: registry.Reference{Registry: ref.host, Repository: ref.path},
		timeout: cmp.Or(o.Timeout, DefaultTimeout), plain: ref.isPlain(o), insecure: o.InsecureHTTP, linking: make(chan struct{}, 1),
	}
	r.source = &credentialSource{host: r.repo.Host(), repository: ref.path}
	cache := auth.NewCache()
	client := func(transport http.RoundTripper) *auth.Client {
		c := &auth.Client{Client: &http.Client{Transport: listener{transport}}, Credential: r.source.get, Cache: cache}
		c.SetUserAgent(cmp.Or(o.UserAgent, "runattest"))
		if ref.isLoopback() { // whose token service is here too
			c.BlockedRealmPrefixes = []netip.Prefix{}
		}
		return c
	}
	r.again, r.once = client(again), client(single)
	return r, nil
}

func (r *remoteStore) resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	d, data, err := r.manifest(ctx, name)
	if err = r.named(name, r.failed(err)); err != nil {
		return d, nil, err
	}
	if want := digest.Digest(name); want.Validate() == nil && want != d.Digest {
		return d, nil, r.failed(fmt.Errorf("%s: %w: content with the digest %s", name, ErrMismatch, d.Digest))
	}
	return d, data, nil
}

// named says in an error what was looked for.
func (r *remoteStore) named(name string, err error) error {
	var missing *missingError
	switch {
	case errors.As(err, &missing):
		return noSuch(r.ref.Repository(), name).whose(missing)
	case errors.Is(err, ErrNotFound):
		return noSuch(r.ref.Repository(), name)
	}
	return err
}

func (r *remoteStore) exists(ctx context.Context, d ocispec.Descriptor) (bool, error) {
	a, err := r.ask(ctx, request{method: http.MethodHead, path: "/blobs/" + d.Digest.String()}, http.StatusNotFound)
	if err != nil || a.status == http.StatusNotFound {
		return false, r.failed(err)
	}
	length := a.header.Get("Content-Length") // which a page in its place has another of
	return length == "" || length == strconv.FormatInt(d.Size, 10), nil
}

func (r *remoteStore) add(ctx context.Context, all []addition, stored func()) error {
	if err := r.ensure(ctx, emptyConfig()); err != nil {
		return err
	}
	for _, a := range all {
		if run := a.declaration; run != nil {
			err := r.ensure(ctx, run.layer)
			if err == nil {
				err = r.failed(r.put(ctx, run.manifest, run.tag))
			}
			if err != nil {
				return err
			}
		}
		if err := r.attach(ctx, a.subject, a.referrers, stored); err != nil {
			return err
		}
	}
	return nil
}

// attach lists what it has pushed, also when it could not push the rest.
func (r *remoteStore) attach(ctx context.Context, subject digest.Digest, referrers []referrer, stored func()) error {
	pushed := make([]ocispec.Descriptor, len(referrers))
	err := inParallel(ctx, len(referrers), func(ctx context.Context, i int) error {
		err := r.upload(ctx, referrers[i].bundle)
		if m := referrers[i].manifest; err == nil {
			err = r.put(ctx, m, m.Digest.String())
		}
		if err != nil {
			return r.failed(err)
		}
		pushed[i] = referrers[i].manifest.Descriptor
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
func (r *remoteStore) ensure(ctx context.Context, c item) error {
	there, err := r.exists(ctx, c.Descriptor)
	if err != nil || there {
		return err
	}
	return r.failed(r.upload(ctx, c))
}

// fallbackTag is where the referrers of a digest are listed if the registry does not list them
// itself: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
func fallbackTag(d digest.Digest) string {
	return d.Algorithm().String() + "-" + d.Encoded()
}
