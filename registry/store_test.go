package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry/internal/store"
)

// failing is a store that does nothing but fail.
type failing struct{ err error }

var _ store.Store = failing{}

func (f failing) Resolve(context.Context, string) (ocispec.Descriptor, []byte, error) {
	return ocispec.Descriptor{}, nil, f.err
}
func (f failing) Fetch(context.Context, ocispec.Descriptor) ([]byte, error) { return nil, f.err }
func (f failing) Exists(context.Context, ocispec.Descriptor) (bool, error)  { return false, f.err }
func (f failing) Add(context.Context, []store.Addition, func()) error       { return f.err }
func (f failing) Referrers(context.Context, digest.Digest, bool) ([]ocispec.Descriptor, error) {
	return nil, f.err
}
func (f failing) Snapshot() (store.Store, error) { return f, nil }
func (f failing) Crawl(context.Context, bool) (store.Crawl, error) {
	var tags iter.Seq2[string, error] = func(yield func(string, error) bool) { yield("", f.err) }
	return store.Crawl{Store: f, Tags: tags}, nil
}

// TestErrorsOfStores: whatever a store does, and however deep its error is wrapped, callers find an Error with the same
// text, target and hint, and what that wraps.
func TestErrorsOfStores(t *testing.T) {
	ctx, cause := context.Background(), errors.New("cause")
	failed := &store.Error{Target: "registry.test", Err: cause, Hint: HintBusy}
	for name, err := range map[string]error{
		"bare": failed, "wrapped": fmt.Errorf("page 2: %w", failed), "joined": errors.Join(errors.New("another"), failed),
		"nested": &store.Error{Target: "registry.test", Err: failed, Hint: HintBusy},
	} {
		s := exported{failing{err}}
		got := map[string]error{"Add": s.Add(ctx, nil, nil)}
		_, _, got["Resolve"] = s.Resolve(ctx, "x")
		_, got["Fetch"] = s.Fetch(ctx, ocispec.Descriptor{})
		_, got["Exists"] = s.Exists(ctx, ocispec.Descriptor{})
		_, got["Referrers"] = s.Referrers(ctx, "", false)
		crawl, crawlErr := s.Crawl(ctx, false)
		if crawlErr != nil {
			t.Fatal(crawlErr)
		}
		for _, got["Tags"] = range crawl.Tags {
		}
		_, got["Fetch of Crawl"] = crawl.Fetch(ctx, ocispec.Descriptor{})
		now, snapshotErr := s.Snapshot()
		if snapshotErr != nil {
			t.Fatal(snapshotErr)
		}
		_, got["Fetch of Snapshot"] = now.Fetch(ctx, ocispec.Descriptor{})
		for method, have := range got {
			var public *Error
			if !errors.As(have, &public) || public.Target != "registry.test" || public.Hint != HintBusy || !errors.Is(have, cause) || have.Error() != err.Error() {
				t.Errorf("%s, %s: got %#v", name, method, have)
			}
		}
	}
	for _, err := range []error{nil, cause, store.NoSuch("oci://registry.test/app", "v1")} {
		if got := (exported{failing{err}}).Add(ctx, nil, nil); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	var public *Error
	if err := CreateLayout(filepath.Join(t.TempDir(), "x.tgz")); !errors.As(err, &public) || !errors.Is(err, ErrLayout) {
		t.Errorf("making a layout: %v", err)
	}
	ref, err := ParseReference("oci-layout://" + filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	if target, err := Open(ref, Options{}); target != nil || !errors.As(err, &public) || !errors.Is(err, ErrLayout) {
		t.Errorf("opening a layout: %v", err)
	}
}

// askedOnce counts how often a store is asked for a snapshot, and answers nothing itself.
type askedOnce struct {
	failing
	now       store.Store
	snapshots int
	added     []store.Addition
}

func (a *askedOnce) Snapshot() (store.Store, error) {
	a.snapshots++
	return a.now, nil
}

func (a *askedOnce) Add(_ context.Context, all []store.Addition, _ func()) error {
	a.added = append(a.added, all...)
	return nil
}

// TestPushRunsAsksOnce: what is there of many runs is asked of one snapshot. Reading a layout's index for each of them took ten
// minutes for 15,000 runs.
func TestPushRunsAsksOnce(t *testing.T) {
	s := &askedOnce{failing: failing{errors.New("asked without snapshot")}, now: failing{store.NoSuch("x", "y")}}
	ref, err := ParseReference("oci-layout://x")
	if err != nil {
		t.Fatal(err)
	}
	var runs []Run
	for i := range 5 {
		d, err := identity.Build(identity.Run{Kind: "inference", Model: identity.Model{Name: "m"}, Prompt: identity.PromptText(fmt.Sprint(i))})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, Run{Declaration: d})
	}
	target := &Target{ref: ref, store: s, count: func() {}}
	if done, err := target.PushRuns(t.Context(), runs...); err != nil || len(done) != 5 || s.snapshots != 1 || len(s.added) != 5 {
		t.Errorf("%d pushed by %d snapshots, %d added: %v", len(done), s.snapshots, len(s.added), err)
	}
}
