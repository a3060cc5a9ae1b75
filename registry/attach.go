package registry

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry/internal/store"
)

// Attached is where a bundle is now.
type Attached struct {
	Referrer      string // digest of the manifest that holds it
	Bundle        string // digest of the bundle itself
	PredicateType string
	Existed       bool // it was there already, and nothing was done
}

// attachment is a bundle on its way.
type attachment struct {
	store.Item
	predicateType string
	existing      string        // the referrer that has it already
	stored        digest.Digest // of the bundle there
}

// spellings are the forms in which the bundle may be there: other clients store files as they are, with a newline at the end.
func (a *attachment) spellings() []ocispec.Descriptor {
	return []ocispec.Descriptor{a.Descriptor, store.NewItem(a.MediaType, append(bytes.Clone(a.Content), '\n')).Descriptor}
}

// Attach makes each bundle a referrer of the artifact, and answers in the same order. A bundle is
// stored byte for byte, without white space around it. One that is there already is left
// alone. Before anything is written, the error is an *evidence.SignatureCountError for a bundle that has no
// signature or several, which no verifier accepts, and wraps ErrNotSubject where a statement's subjects
// do not include the artifact (or, under a declaration, the run). After another error some
// may be attached; attaching all of them again does the rest.
func (t *Target) Attach(ctx context.Context, a *Artifact, bundles ...[]byte) ([]Attached, error) {
	if err := t.check(a); err != nil {
		return nil, err
	}
	all, err := a.prepareAll(bundles)
	if err != nil {
		return nil, err
	}
	if err := t.findExisting(ctx, a, all); err != nil {
		return nil, err
	}
	fresh, err := newReferrers(a.descriptor, all, time.Now())
	if err != nil {
		return nil, err
	}
	if len(fresh) > 0 {
		err = t.store.Add(ctx, []store.Addition{{Subject: a.descriptor.Digest, Referrers: fresh}}, t.count)
	}
	if err != nil {
		return nil, err
	}
	return results(all, fresh), nil
}

func (a *Artifact) prepareAll(bundles [][]byte) ([]attachment, error) {
	is, err := a.digests()
	if err != nil {
		return nil, err
	}
	all := make([]attachment, len(bundles))
	for i, data := range bundles {
		if all[i], err = a.prepare(data, is); err != nil {
			return nil, &BundleError{i, err}
		}
	}
	return all, nil
}

// BundleError says which of the bundles given it was; those of several runs are counted one run after the other.
type BundleError struct {
	Index int
	Err   error
}

func (e *BundleError) Error() string { return fmt.Sprint(e.Err) }
func (e *BundleError) Unwrap() error { return e.Err }

// TooLargeError says that a bundle is larger than what registries take as a manifest's content.
type TooLargeError struct {
	Size, Most int // in bytes
	// PredicateType is that of the statement, "" if it cannot be read. The attestation of a run can be detached.
	PredicateType string
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the bundle has %d bytes, want at most %d", e.Size, e.Most)
}

// BareEnvelopeError says that a bundle is a bare DSSE envelope, which is not attached: clients look for Sigstore bundles.
type BareEnvelopeError struct{ PredicateType string }

func (e *BareEnvelopeError) Error() string {
	return "a bare DSSE envelope cannot be attached: want a Sigstore bundle"
}

// prepare holds a bundle against the artifact, which has these digests.
func (a *Artifact) prepare(data []byte, is map[string]string) (attachment, error) {
	data = bytes.TrimSpace(data)
	made := attachment{Item: store.NewItem(attest.BundleMediaType, data)}
	b, err := attest.ParseBundle(data)
	if b.Format() == attest.RunProof {
		made.MediaType = attest.RunProofMediaType
	}
	if err == nil {
		made.predicateType = b.UnverifiedPredicateType()
	}
	switch {
	case len(data) > limits.RegistryContent:
		return made, &TooLargeError{len(data), limits.RegistryContent, made.predicateType}
	case err != nil:
		return made, err
	case b.Format() == attest.DSSE:
		return made, &BareEnvelopeError{made.predicateType}
	}
	if err := b.CheckSignatureCount(); err != nil {
		return made, err
	}
	subjects, err := b.UnverifiedSubjects()
	if err != nil {
		return made, fmt.Errorf("%w: %w", attest.ErrMalformed, err)
	}
	if !slices.ContainsFunc(subjects, func(s attest.UnverifiedSubject) bool { return anyDigest(s.Digest, is) }) {
		return made, &NotSubjectError{a.Reference, !a.run.IsZero(), made.predicateType}
	}
	return made, nil
}

// anyDigest compares digest sets as in-toto does: one digest that is in both makes them equal.
func anyDigest(a, b map[string]string) bool {
	for algorithm, digest := range a {
		if digest != "" && digest == b[algorithm] {
			return true
		}
	}
	return false
}

// NotSubjectError is an ErrNotSubject that says which artifact.
type NotSubjectError struct {
	Artifact Reference
	IsRun    bool // it is a declaration, and the run should be the subject
	// PredicateType is that of the statement that is about something else.
	PredicateType string
}

func (e *NotSubjectError) Error() string { return fmt.Sprintf("%s: %s", ErrNotSubject, e.Artifact) }
func (e *NotSubjectError) Unwrap() error { return ErrNotSubject }

// digests are those that an attestation of the artifact may have for its subject: the artifact's, or under a
// declaration the run's.
func (a *Artifact) digests() (map[string]string, error) {
	if id := a.Run(); !id.IsZero() {
		sum := id.Digest()
		return map[string]string{"sha256": hex.EncodeToString(sum[:])}, nil
	}
	subject, err := a.Subject()
	if err != nil {
		return nil, err
	}
	sum384, sum512 := sha512.Sum384(a.manifest), sha512.Sum512(a.manifest)
	return map[string]string{
		"sha256": hex.EncodeToString(subject.SHA256[:]),
		"sha384": hex.EncodeToString(sum384[:]),
		"sha512": hex.EncodeToString(sum512[:]),
	}, nil
}

// findExisting marks the bundles that the artifact has. A bundle whose content the repository
// does not have is nobody's, so that new ones cost one question each and no listing.
func (t *Target) findExisting(ctx context.Context, a *Artifact, all []attachment) error {
	there := make([]bool, len(all))
	err := store.InParallel(ctx, len(all), func(ctx context.Context, i int) error {
		for _, d := range all[i].spellings() {
			is, err := t.store.Exists(ctx, d)
			if err != nil || is {
				there[i] = is
				return err
			}
		}
		return nil
	})
	if err != nil || !slices.Contains(there, true) {
		return err
	}
	referrers, err := t.store.Referrers(ctx, a.descriptor.Digest, false)
	if err != nil {
		return err
	}
	holders := make([]holding, len(referrers))
	err = store.InParallel(ctx, len(referrers), func(ctx context.Context, i int) error {
		if !store.MayBeBundle(referrers[i]) {
			return nil
		}
		if manifest, err := t.store.Fetch(ctx, referrers[i]); err == nil {
			holders[i] = holds(manifest, a.descriptor.Digest, referrers[i])
		}
		return ctx.Err() // a referrer that cannot be read holds nothing
	})
	at := map[holding]digest.Digest{}
	for i, h := range holders {
		if at[h] == "" {
			at[h] = referrers[i].Digest
		}
	}
	for i, b := range all {
		if !there[i] {
			continue
		}
		for _, spelling := range b.spellings() {
			for _, said := range []string{"", b.predicateType} {
				if d := at[holding{layerOf(spelling), said}]; d != "" && all[i].existing == "" {
					all[i].existing, all[i].stored = d.String(), spelling.Digest
				}
			}
		}
	}
	return err
}

// holding is a bundle that a referrer holds, and the predicate type that it is listed with.
type holding struct {
	layer
	said string
}

// holds returns what a listing would find in a referrer. A client that may push can attach our bundle
// in a way that no listing shows; such a referrer does not hold it.
func holds(manifest []byte, subject digest.Digest, listed ocispec.Descriptor) holding {
	held, err := bundleLayer(manifest, subject)
	if err != nil {
		return holding{}
	}
	if m, err := readManifest(manifest); err != nil || !store.IsBundleType(listed.ArtifactType) && !store.IsBundleType(m.ArtifactType) {
		return holding{}
	}
	return holding{layerOf(held), listed.Annotations[predicateAnnotation]}
}

// newReferrers makes the manifests of the bundles that are not there yet, one for each content.
func newReferrers(subject ocispec.Descriptor, all []attachment, created time.Time) ([]store.Referrer, error) {
	var fresh []store.Referrer
	seen := map[digest.Digest]bool{}
	for _, b := range all {
		if b.existing != "" || seen[b.Digest] {
			continue
		}
		seen[b.Digest] = true
		manifest, err := newReferrer(subject, b.Descriptor, b.predicateType, created)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, store.Referrer{Bundle: b.Item, Manifest: manifest})
	}
	return fresh, nil
}

func results(all []attachment, fresh []store.Referrer) []Attached {
	done := make([]Attached, len(all))
	at := map[digest.Digest]string{}
	next := 0
	for i, b := range all {
		done[i] = Attached{Bundle: b.Digest.String(), PredicateType: b.predicateType, Existed: true}
		switch {
		case b.existing != "":
			done[i].Referrer, done[i].Bundle = b.existing, b.stored.String()
		case at[b.Digest] != "":
			done[i].Referrer = at[b.Digest]
		default:
			at[b.Digest] = fresh[next].Manifest.Digest.String()
			done[i].Referrer, done[i].Existed = at[b.Digest], false
			next++
		}
	}
	return done
}

// Run is the run whose declaration the artifact is; the zero ID if it is none.
func (a *Artifact) Run() identity.ID { return zero.IfNil(a).run }
