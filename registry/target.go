package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
)

// workers is how many requests are under way at once.
const workers = 8

// Options are how a registry is reached; the zero value is HTTPS with the system's certificate
// authorities, or plain HTTP where the registry is this machine's.
type Options struct {
	// CA is the certificate authority of the registry, PEM; nil trusts the system's.
	CA []byte
	// InsecureHTTP asks for no TLS. Without it only a registry on a loopback address, and
	// with no CA, is reached so.
	InsecureHTTP bool
	// Timeout is how long one answer may take, retries included; DefaultTimeout if 0.
	Timeout time.Duration
	// UserAgent is what the registry is told; "runattest" if empty.
	UserAgent string
	// Count, if not nil, is called for each bundle that was written to the repository or read from it.
	Count func()
}

// store is a repository, whatever it is made of. What it fetches it has verified.
type store interface {
	// resolve finds a manifest by tag or digest and gives its content.
	resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error)
	fetch(ctx context.Context, d ocispec.Descriptor) ([]byte, error)
	exists(ctx context.Context, d ocispec.Descriptor) (bool, error)
	// referrers lists the manifests whose subject is that digest, of whatever type.
	referrers(ctx context.Context, subject digest.Digest) ([]ocispec.Descriptor, error)
	// add stores what is new and has it listed, and tells of each bundle. A registry takes one
	// thing after the other, a layout all of it under one lock and a tarball at once.
	add(ctx context.Context, all []addition, stored func()) error
}

// addition is what is stored in a repository together: content comes before what names it.
type addition struct {
	declaration *declared // which the referrers may be about
	subject     digest.Digest
	referrers   []referrer
}

// declared is the manifest of a declaration, and its tag; or another manifest, without layer.
type declared struct {
	manifest, layer item
	tag             string
}

// referrer is a bundle and the manifest that hangs it on its subject.
type referrer struct{ bundle, manifest item }

// Target is a repository, and a reference to something in it. It is safe for concurrent use.
type Target struct {
	ref     Reference
	store   store
	timeout time.Duration
	count   func()
}

// Open makes a Target. It opens no connection; a layout must be there.
func Open(ref Reference, o Options) (*Target, error) {
	if ref.IsLayout() {
		ref = ref.located()
	}
	t := &Target{ref: ref, timeout: cmp.Or(o.Timeout, DefaultTimeout), count: o.Count}
	if t.count == nil {
		t.count = func() {}
	}
	var err error
	switch {
	case ref == Reference{}:
		err = fmt.Errorf("%w: it is empty", ErrReference)
	case ref.IsLayout():
		t.store, err = openLayout(ref.path)
	default:
		t.store, err = newRemoteStore(ref, o)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Reference is what the target was opened with.
func (t *Target) Reference() Reference { return zero.IfNil(t).ref }

// Artifact is a manifest in a repository, by digest.
type Artifact struct {
	Reference  Reference // with the digest and no tag
	descriptor ocispec.Descriptor
	manifest   []byte
	run        identity.ID // whose declaration it is; zero if it is none
}

// Digest is the manifest's, sha256:HEX.
func (a *Artifact) Digest() string { return zero.IfNil(a).descriptor.Digest.String() }

// Manifest is the content that has the digest.
func (a *Artifact) Manifest() []byte { return slices.Clone(zero.IfNil(a).manifest) }

// Subject is the artifact as a Statement names it.
func (a *Artifact) Subject() (attest.Subject, error) {
	if a == nil || a.descriptor.Digest == "" {
		return attest.Subject{}, errNoArtifact
	}
	return a.Reference.subject(a.descriptor.Digest)
}

var errNoArtifact = errors.New("no artifact: it is nil or a zero value")

// check refuses a target that Open has not made, and artifacts that are nil or zero values.
func (t *Target) check(artifacts ...*Artifact) error {
	if t == nil || t.store == nil {
		return errors.New("no target: it is nil or a zero value")
	}
	for _, a := range artifacts {
		if a == nil || a.descriptor.Digest == "" {
			return errNoArtifact
		}
	}
	return nil
}

// Resolve finds the artifact that the reference names. The error wraps ErrNotFound where the
// repository has nothing of that name.
func (t *Target) Resolve(ctx context.Context) (*Artifact, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	return t.resolve(ctx, t.ref)
}

// resolve finds what a reference to something in the target's repository refers to.
func (t *Target) resolve(ctx context.Context, ref Reference) (*Artifact, error) {
	d, manifest, err := t.store.resolve(ctx, ref.name())
	switch {
	case errors.Is(err, ErrNotFound) && !ref.run.IsZero():
		return nil, (&missingError{Repository: ref.Repository(), What: "no such run: " + ref.run.String()}).whose(err)
	case errors.Is(err, ErrNotFound) && ref.IsRepository() && !ref.IsLayout():
		return nil, (&missingError{Repository: ref.Repository(), What: "no tag was given, and there is no " + ref.name()}).whose(err)
	case err != nil:
		return nil, err
	}
	return newArtifact(ref, d, manifest)
}
