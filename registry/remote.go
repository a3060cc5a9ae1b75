package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/runattest/runattest/internal/limits"
)

// remoteStore is a repository of a registry.
type remoteStore struct {
	ref     Reference
	repo    *remote.Repository
	once    *auth.Client // asks once: what is not to be repeated unseen
	source  *credentialSource
	timeout time.Duration

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
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.UserAgent == "" {
		o.UserAgent = "runattest"
	}
	r := &remoteStore{ref: ref, source: &credentialSource{}, timeout: o.Timeout, linking: make(chan struct{}, 1)}
	cache := auth.NewCache()
	client := func(transport http.RoundTripper) *auth.Client {
		c := &auth.Client{Client: &http.Client{Transport: transport}, Credential: r.source.get, Cache: cache}
		c.SetUserAgent(o.UserAgent)
		if ref.isLoopback() { // whose token service is here too
			c.BlockedRealmPrefixes = []netip.Prefix{}
		}
		return c
	}
	r.once = client(single)
	r.repo = &remote.Repository{
		Client:           client(again),
		Reference:        registry.Reference{Registry: ref.host, Repository: ref.path},
		PlainHTTP:        ref.isPlain(o),
		MaxMetadataBytes: limits.RegistryContent,
		SkipReferrersGC:  true,
	}
	// The index of a registry without the API is updated here and not in oras, which
	// does not see other writers.
	return r, r.repo.SetReferrersCapability(true)
}

func (r *remoteStore) resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	d, body, err := r.repo.Manifests().FetchReference(ctx, name)
	if err != nil {
		return d, nil, r.named(name, r.failed(err))
	}
	data, err := r.read(d, body)
	return d, data, r.named(name, err)
}

// named says in an error what was looked for.
func (r *remoteStore) named(name string, err error) error {
	if errors.Is(err, ErrNotFound) {
		return noSuch(r.ref.Repository(), name)
	}
	return err
}

func (r *remoteStore) fetch(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if err := checkSize(d); err != nil {
		return nil, err
	}
	body, err := r.repo.Fetch(ctx, d)
	if err != nil {
		return nil, r.mistaken(ctx, d, r.named(d.Digest.String(), r.failed(err)))
	}
	data, err := r.read(d, body)
	return data, r.mistaken(ctx, d, err)
}

// mistaken tells a descriptor that is wrong, which whoever may push can write, from a registry that serves
// something else: what that digest names is there, and not as the descriptor says.
func (r *remoteStore) mistaken(ctx context.Context, d ocispec.Descriptor, err error) error {
	if !errors.Is(err, ErrMismatch) {
		return err
	}
	manifests, blobs := r.repo.Manifests(), r.repo.Blobs()
	for _, kind := range []registry.ReferenceFetcher{manifests, blobs} {
		there, body, missing := kind.FetchReference(ctx, d.Digest.String())
		if missing != nil {
			continue
		}
		if _, spoilt := r.read(there, body); spoilt != nil {
			continue
		}
		// a blob is of any type; and what is as the descriptor says now was spoilt by the registry
		if there.Size != d.Size || kind == manifests && there.MediaType != d.MediaType {
			return wrongDescriptor(d, there)
		}
	}
	return err
}

func (r *remoteStore) read(d ocispec.Descriptor, body io.ReadCloser) ([]byte, error) {
	defer body.Close()
	if err := checkSize(d); err != nil {
		return nil, r.failed(err)
	}
	data, err := content.ReadAll(body, d)
	return data, r.failed(err)
}

func (r *remoteStore) exists(ctx context.Context, d ocispec.Descriptor) (bool, error) {
	found, err := r.repo.Exists(ctx, d)
	return found, r.failed(err)
}

func (r *remoteStore) add(ctx context.Context, all []addition, stored func()) error {
	if err := r.ensure(ctx, emptyConfig()); err != nil {
		return err
	}
	for _, a := range all {
		if run := a.declaration; run != nil {
			err := r.ensure(ctx, run.layer)
			if err == nil {
				err = r.tag(ctx, run.manifest, run.tag)
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
		for _, c := range []item{referrers[i].bundle, referrers[i].manifest} {
			if err := r.push(ctx, c.Descriptor, c.data); err != nil {
				return err
			}
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
	return r.push(ctx, c.Descriptor, c.data)
}

func (r *remoteStore) push(ctx context.Context, d ocispec.Descriptor, data []byte) error {
	err := r.repo.Push(ctx, d, bytes.NewReader(data))
	if errors.Is(err, errdef.ErrAlreadyExists) {
		return nil
	}
	return r.failed(err)
}

func (r *remoteStore) tag(ctx context.Context, manifest item, tag string) error {
	return r.failed(r.repo.PushReference(ctx, manifest.Descriptor, bytes.NewReader(manifest.data), tag))
}

// request asks for something that oras has no call for. The body of the answer is the caller's
// to close.
func (r *remoteStore) request(ctx context.Context, client remote.Client, method, path string, body []byte, header http.Header) (*http.Response, error) {
	scheme := "https://"
	if r.repo.PlainHTTP {
		scheme = "http://"
	}
	url := path
	if !strings.HasPrefix(path, scheme) {
		url = scheme + r.repo.Reference.Host() + "/v2/" + r.ref.path + path
	}
	actions := []string{auth.ActionPull}
	if method == http.MethodPut {
		actions = append(actions, auth.ActionPush)
	}
	ctx = auth.AppendRepositoryScope(ctx, r.repo.Reference, actions...)
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	return client.Do(req)
}

// readAnswer reads a body of at most limits.RegistryContent.
func readAnswer(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, limits.RegistryContent+1))
	if err == nil && len(data) > limits.RegistryContent {
		err = fmt.Errorf("the list of referrers is too long: want at most %d bytes", limits.RegistryContent)
	}
	return data, err
}

// fallbackTag is where the referrers of a digest are listed if the registry does not list them
// itself: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
func fallbackTag(d digest.Digest) string {
	return d.Algorithm().String() + "-" + d.Encoded()
}
