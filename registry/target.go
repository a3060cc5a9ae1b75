package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry/internal/store"
)

// DefaultTimeout is how long one answer may take where Options do not say.
const DefaultTimeout = time.Minute

// Options are how a registry is reached; the zero value is HTTPS with the system's certificate
// authorities, or plain HTTP where the registry is this machine's.
type Options struct {
	// CA is the certificate authority of the registry, or several, PEM; nil trusts the system's. In it are certificates alone, and
	// one that cannot be read is an error.
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

// Target is a repository, and a reference to something in it. It is safe for concurrent use.
type Target struct {
	ref     Reference
	store   store.Store
	timeout time.Duration
	count   func()
}

// Open makes a Target. It opens no connection; a layout must be there.
func Open(ref Reference, o Options) (*Target, error) {
	ref = ref.Located()
	o.Timeout, o.UserAgent = cmp.Or(o.Timeout, DefaultTimeout), cmp.Or(o.UserAgent, "runattest")
	t := &Target{ref: ref, timeout: o.Timeout, count: o.Count}
	if t.count == nil {
		t.count = func() {}
	}
	if ref == (Reference{}) {
		return nil, fmt.Errorf("%w: it is empty", ErrReference)
	}
	err := ref.checkRunTag()
	if err != nil {
		return nil, err
	}
	if t.store, err = openStore(ref, o); err != nil {
		return nil, err
	}
	return t, nil
}

// Reference is what the target was opened with.
func (t *Target) Reference() Reference { return zero.IfNil(t).ref }

// CheckWritable says why nothing can be written to the repository, where that is known without asking it: the files of a layout may be
// read-only. It sends nothing.
func (t *Target) CheckWritable() error {
	ref := t.Reference()
	if ref == (Reference{}) {
		return fmt.Errorf("%w: it is empty", ErrReference)
	}
	if !ref.IsLayout() {
		return nil
	}
	if info, err := os.Stat(ref.Path()); err == nil && !info.IsDir() { // a tarball, which is replaced
		return atomicfile.CheckFolder(ref.Path())
	}
	for _, name := range []string{"index.json", "blobs/sha256/HEX"} {
		err := atomicfile.CheckFolder(pathname.In(ref.Path(), name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// CheckAttach says why the attestation of a run could not be attached to an artifact that it names as a subject, where that is
// known before the run is signed: nothing can be written, or the artifact is the declaration of a run, whose attestations are of
// that run, which is a *NotSubjectError. It sends nothing.
func (t *Target) CheckAttach(a *Artifact) error {
	if err := t.check(a); err != nil {
		return err
	}
	if err := t.CheckWritable(); err != nil {
		return err
	}
	if !a.run.IsZero() {
		return &NotSubjectError{a.Reference, true, attest.PredicateType}
	}
	return nil
}

// Artifact is a manifest in a repository, by digest.
type Artifact struct {
	Reference  Reference // with the digest and no tag
	Displaced  string    // by Mirror: the digest of another artifact, from which this one has taken the tag in the layout
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
	d, manifest, err := t.store.Resolve(ctx, ref.name())
	switch {
	case errors.Is(err, ErrNotFound) && !ref.run.IsZero():
		return nil, (&store.MissingError{Repository: ref.Repository(), What: "no such run: " + ref.run.String()}).Because(err)
	case errors.Is(err, ErrNotFound) && ref.IsRepository() && !ref.IsLayout():
		return nil, (&store.MissingError{Repository: ref.Repository(), What: "no tag was given, and there is no " + ref.name()}).Because(err)
	case err != nil:
		return nil, err
	}
	return newArtifact(ref, d, manifest)
}
