package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	ours "github.com/runattest/runattest/registry"
)

// descend declares a run that descends from others.
func descend(t testing.TB, seed int, parents ...*identity.Declaration) *identity.Declaration {
	t.Helper()
	ids := []identity.ID{}
	for _, p := range parents {
		ids = append(ids, p.ID())
	}
	list, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) > 0 {
		list = append([]byte(`,"parents":`), list...)
	} else {
		list = nil
	}
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"agent","model":{"name":"m"},"prompt":{},"parameters":{"seed":%d},"context":[],"constraints":{}%s}`,
		identity.Schema, seed, list))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func signed(t testing.TB, d *identity.Declaration, o attest.StatementOptions) []byte {
	t.Helper()
	s, err := attest.New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return bundleOf(t, s)
}

func push(t testing.TB, target *ours.Target, d *identity.Declaration, bundles ...[]byte) *ours.Artifact {
	t.Helper()
	a, _, err := target.PushRun(context.Background(), d, bundles...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// told are the runs as Runs gives them: "ID attestations", - where the repository has none; and the errors.
func told(t testing.TB, target *ours.Target, o ours.RunsOptions) (runs []string, errs []error) {
	t.Helper()
	counts := map[identity.ID]int{}
	var order []identity.ID
	for k, err := range target.Runs(context.Background(), o) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !slices.Contains(order, k.Run) {
			order = append(order, k.Run)
		}
		switch {
		case k.Declaration == nil:
			counts[k.Run] = -1
		case k.Declaration.ID() != k.Run:
			t.Errorf("%s has the declaration of %s", k.Run, k.Declaration.ID())
		case k.Found != nil:
			counts[k.Run]++
		}
	}
	for _, id := range order {
		runs = append(runs, fmt.Sprintf("%s %d", id.Hex()[:8], counts[id]))
	}
	return runs, errs
}

func says(d *identity.Declaration, n int) string { return fmt.Sprintf("%s %d", d.ID().Hex()[:8], n) }

// targets runs a test on registries with the referrers API and without, and on a layout.
func targets(t *testing.T, test func(t *testing.T, target *ours.Target)) {
	both(t, func(t *testing.T, s *server) { test(t, open(t, s.host+"/app")) })
	t.Run("layout", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "runs.d")
		if err := ours.CreateLayout(dir); err != nil {
			t.Fatal(err)
		}
		test(t, open(t, "oci-layout://"+dir))
	})
}

// TestRunsOfLineage: all runs, or those from which one descends and no others.
func TestRunsOfLineage(t *testing.T) {
	targets(t, func(t *testing.T, target *ours.Target) {
		gone := descend(t, 0)
		base := descend(t, 1, gone)
		left, right := descend(t, 2, base), descend(t, 3, base)
		child := descend(t, 4, left, right)
		stranger := descend(t, 5)
		detached := signed(t, left, attest.StatementOptions{Detached: &attest.DeclarationRef{}})
		push(t, target, base, signed(t, base, attest.StatementOptions{}))
		push(t, target, left, signed(t, left, attest.StatementOptions{}), detached)
		push(t, target, right) // a declaration without a signature
		push(t, target, child, signed(t, child, attest.StatementOptions{}))
		push(t, target, stranger, signed(t, stranger, attest.StatementOptions{}))

		all, errs := told(t, target, ours.RunsOptions{})
		want := []string{says(base, 1), says(left, 2), says(right, 0), says(child, 1), says(stranger, 1)}
		slices.Sort(all)
		slices.Sort(want)
		if !slices.Equal(all, want) || len(errs) > 0 {
			t.Errorf("all: %v, %v; want %v", all, errs, want)
		}
		lineage, errs := told(t, target, ours.RunsOptions{Of: []identity.ID{child.ID()}, Ancestors: true})
		want = []string{says(child, 1), says(left, 2), says(right, 0), says(base, 1), says(gone, -1)}
		if !slices.Equal(lineage, want) || len(errs) > 0 {
			t.Errorf("lineage: %v, %v; want %v", lineage, errs, want)
		}
		one, errs := told(t, target, ours.RunsOptions{Of: []identity.ID{child.ID(), child.ID(), gone.ID()}})
		if want := []string{says(child, 1), says(gone, -1)}; !slices.Equal(one, want) || len(errs) > 0 {
			t.Errorf("one: %v, %v; want %v", one, errs, want)
		}
		none, errs := told(t, target, ours.RunsOptions{PredicateTypes: []string{"https://example.com/other"}, Of: []identity.ID{left.ID()}})
		if want := []string{says(left, 0)}; !slices.Equal(none, want) || len(errs) > 0 {
			t.Errorf("another type: %v, %v; want %v", none, errs, want)
		}
		for range target.Runs(context.Background(), ours.RunsOptions{}) {
			break // and nothing is left behind, which -race and the server's Close find out
		}
	})
}

// TestRunsAskOnlyForTheLineage: the root's ancestors are found without any list of tags.
func TestRunsAskOnlyForTheLineage(t *testing.T) {
	s := newServer(t, true)
	target := open(t, s.host+"/app")
	parent := descend(t, 1)
	child := descend(t, 2, parent)
	for _, d := range []*identity.Declaration{parent, child, descend(t, 3), descend(t, 4), descend(t, 5)} {
		push(t, target, d, signed(t, d, attest.StatementOptions{}))
	}
	before := s.count("GET manifests")
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/tags/") {
			t.Errorf("asked for %s", r.URL)
		}
		next.ServeHTTP(w, r)
	})
	if runs, errs := told(t, target, ours.RunsOptions{Of: []identity.ID{child.ID()}, Ancestors: true}); len(runs) != 2 || len(errs) > 0 {
		t.Errorf("%v, %v", runs, errs)
	}
	if n := s.count("GET manifests") - before; n != 4 {
		t.Errorf("%d manifests were read, want those of two runs and two attestations", n)
	}
}

// TestRunsBad: what is bad is named and hides nothing.
func TestRunsBad(t *testing.T) {
	s := newServer(t, true)
	target := open(t, s.host+"/app")
	good, lying, other, bare := descend(t, 1), descend(t, 2), descend(t, 3), descend(t, 4)
	a := push(t, target, good, signed(t, good, attest.StatementOptions{}))
	push(t, target, bare, signed(t, bare, attest.StatementOptions{}))
	tag := func(d *identity.Declaration) string { return strings.ReplaceAll(d.ID().String(), ":", "-") }
	layer := blob(string(other.Canonical()))
	layer.MediaType = identity.MediaType
	s.put("blob", "", "", other.Canonical())
	s.manifest(tag(lying), ocispec.Manifest{ArtifactType: identity.MediaType, Layers: []ocispec.Descriptor{layer}})
	s.manifest("airun-1-sha256-nonsense", ocispec.Manifest{ArtifactType: identity.MediaType, Layers: []ocispec.Descriptor{layer}})
	s.manifest("v1", ocispec.Manifest{ArtifactType: "application/vnd.acme.model", Layers: []ocispec.Descriptor{layer}})
	// a referrer that is not a bundle, put where listings find it
	s.put("blob", "", "", []byte("garbage"))
	broken := blob("garbage")
	broken.MediaType = attest.BundleMediaType
	subject := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(a.Digest()), Size: int64(len(a.Manifest()))}
	s.manifest("", ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{broken}, Subject: &subject})

	runs, errs := told(t, target, ours.RunsOptions{})
	slices.Sort(runs)
	want := []string{says(good, 1), says(bare, 1)}
	slices.Sort(want)
	if !slices.Equal(runs, want) || len(errs) != 2 {
		t.Fatalf("%v, %v; want %v", runs, errs, want)
	}
	skipped := map[identity.ID]error{}
	for _, err := range errs {
		var one *ours.SkippedError
		if !errors.As(err, &one) {
			t.Fatalf("%v ends the sequence", err)
		}
		skipped[one.Run] = err
	}
	if err := skipped[lying.ID()]; !errors.Is(err, ours.ErrMismatch) {
		t.Errorf("the lying tag: %v", err)
	}
	if err := skipped[good.ID()]; !errors.As(err, new(*ours.MalformedError)) {
		t.Errorf("the referrer that is none: %v", err)
	}
}

// writeTags answers with a page of tags.
func writeTags(w http.ResponseWriter, tags []string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"name": "app", "tags": tags})
}

// fillPage puts tags before the runs', so that the page is full.
func fillPage(tags []string) []string {
	var all []string
	for n := range 1000 - len(tags) {
		all = append(all, fmt.Sprintf("a%04d", n))
	}
	return append(all, tags...)
}

func linkNext(w http.ResponseWriter, r *http.Request) (isFirst bool) {
	if isFirst = r.URL.Query().Get("last") == ""; isFirst {
		w.Header().Set("Link", `</v2/app/tags/list?last=x>; rel="next"`)
	}
	return isFirst
}

// tagLists are the ways in which registries list five tags, in how many pages, or with what error.
var tagLists = map[string]struct {
	answer func(w http.ResponseWriter, r *http.Request, tags []string)
	pages  int
	err    string
}{
	"link": {func(w http.ResponseWriter, r *http.Request, tags []string) {
		if linkNext(w, r) {
			writeTags(w, tags[:2])
		} else {
			writeTags(w, tags[2:])
		}
	}, 2, ""},
	"repeated": {func(w http.ResponseWriter, r *http.Request, tags []string) {
		linkNext(w, r)
		writeTags(w, tags)
	}, 2, ""},
	"full page": {func(w http.ResponseWriter, r *http.Request, tags []string) {
		if r.URL.Query().Get("last") == tags[2] {
			writeTags(w, tags[3:])
		} else {
			writeTags(w, fillPage(tags[:3]))
		}
	}, 2, ""},
	"heeds no last": {func(w http.ResponseWriter, _ *http.Request, tags []string) { writeTags(w, fillPage(tags)) }, 2, ""},
	"in no order": {func(w http.ResponseWriter, _ *http.Request, tags []string) {
		writeTags(w, append(fillPage(tags), "a"))
	}, 2, ""},
	"newest first": {func(w http.ResponseWriter, r *http.Request, tags []string) {
		slices.Reverse(tags)
		if r.URL.Query().Get("last") == tags[2] {
			writeTags(w, tags[3:])
		} else {
			writeTags(w, fillPage(tags[:3]))
		}
	}, 2, ""},
	"null": {func(w http.ResponseWriter, _ *http.Request, _ []string) { writeTags(w, nil) }, 1, ""},
	"elsewhere": {func(w http.ResponseWriter, _ *http.Request, tags []string) {
		w.Header().Set("Link", `<http://example.com/>; rel="next"`)
		writeTags(w, tags)
	}, 1, "goes on at another server"},
	"page":    {func(w http.ResponseWriter, _ *http.Request, _ []string) { _, _ = w.Write([]byte("<html>")) }, 1, "the list of tags"},
	"refused": {func(w http.ResponseWriter, _ *http.Request, _ []string) { w.WriteHeader(http.StatusForbidden) }, 1, "is refused"},
}

// TestRunsPages: a list of tags goes on where its link leads, and where a full page has none.
func TestRunsPages(t *testing.T) {
	s := newServer(t, true)
	target := open(t, s.host+"/app")
	var want, tags []string
	for n := range 5 {
		d := descend(t, n)
		push(t, target, d)
		want, tags = append(want, says(d, 0)), append(tags, strings.ReplaceAll(d.ID().String(), ":", "-"))
	}
	slices.Sort(want)
	slices.Sort(tags)
	for name, c := range tagLists {
		t.Run(name, func(t *testing.T) {
			asked := 0
			s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if !strings.HasSuffix(r.URL.Path, "/tags/list") {
					next.ServeHTTP(w, r)
					return
				}
				asked++
				c.answer(w, r, slices.Clone(tags))
			})
			runs, errs := told(t, target, ours.RunsOptions{})
			slices.Sort(runs)
			switch {
			case asked != c.pages:
				t.Errorf("%d pages were asked for, want %d", asked, c.pages)
			case c.err != "":
				if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.err) || errors.As(errs[0], new(*ours.SkippedError)) {
					t.Errorf("%v, want %s", errs, c.err)
				}
			case len(errs) > 0 || !slices.Equal(runs, want) && name != "null" || name == "null" && len(runs) > 0:
				t.Errorf("%v, %v; want %v", runs, errs, want)
			}
		})
	}
}

// TestRunsFail: a registry that fails in the middle ends the sequence with its error.
func TestRunsFail(t *testing.T) {
	s := newServer(t, true)
	target := open(t, s.host+"/app")
	parent := descend(t, 1)
	child := descend(t, 2, parent)
	push(t, target, parent, signed(t, parent, attest.StatementOptions{}))
	push(t, target, child, signed(t, child, attest.StatementOptions{}))
	for _, part := range []string{"referrers", "blobs", "manifests/airun-1-sha256-" + parent.ID().Hex()} {
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if strings.Contains(r.URL.Path, part) {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
		_, errs := told(t, target, ours.RunsOptions{Of: []identity.ID{child.ID()}, Ancestors: true})
		var failed *ours.Error
		if len(errs) != 1 || !errors.As(errs[0], &failed) || errors.As(errs[0], new(*ours.SkippedError)) {
			t.Errorf("%s: %v", part, errs)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range target.Runs(ctx, ours.RunsOptions{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}
