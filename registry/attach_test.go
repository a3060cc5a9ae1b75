package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/registry"
)

// both runs a test with the referrers API and without.
func both(t *testing.T, test func(t *testing.T, s *server)) {
	t.Run("api", func(t *testing.T) { test(t, newServer(t, true)) })
	t.Run("fallback", func(t *testing.T) { test(t, newServer(t, false)) })
}

func TestAttach(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		s.artifact()
		ref := s.host + "/app:v1"
		attached := attach(t, ref, 1, 2)
		found, l, errs := fetchAll(t, ref)
		if len(errs) > 0 || len(found) != 2 || l.Foreign() != 0 {
			t.Fatalf("%d found, %d foreign, %v", len(found), l.Foreign(), errs)
		}
		want := map[string]bool{attached[0].Referrer: true, attached[1].Referrer: true}
		for _, f := range found {
			if !want[f.Referrer] || f.PredicateType != attest.PredicateType || time.Since(f.Created) > time.Minute {
				t.Errorf("found %s %s %s", f.Referrer, f.PredicateType, f.Created)
			}
		}
		target, a := resolve(t, ref)
		expect, err := a.Expect(attest.Expect{})
		if err != nil {
			t.Fatal(err)
		}
		by, err := key()
		if err != nil {
			t.Fatal(err)
		}
		trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: by.PublicKey()})
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := attest.NewVerifier(trust)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(context.Background(), found[0].Bundle, expect); err != nil {
			t.Error(err)
		}
		other := sign(t, 3, attest.StatementOptions{})
		if _, err := target.Attach(context.Background(), a, other); !errors.Is(err, registry.ErrNotSubject) {
			t.Errorf("a bundle about something else: %v", err)
		}
	})
}

// The manifest is the one that cosign v3.1.3 writes (pkg/oci/remote.WriteAttestationNewBundleFormat);
// e2e compares it with one that the real cosign wrote.
func TestManifestIsCosigns(t *testing.T) {
	s := newServer(t, true)
	subject := s.artifact()
	attached := attach(t, s.host+"/app:v1", 1)
	resp, err := http.Get("http://" + s.host + "/v2/app/manifests/" + attached[0].Referrer)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	annotations, _ := got["annotations"].(map[string]any)
	if _, err := time.Parse(time.RFC3339, annotations["org.opencontainers.image.created"].(string)); err != nil {
		t.Error(err)
	}
	delete(annotations, "org.opencontainers.image.created")
	const kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
	want := map[string]any{
		"schemaVersion": 2.0,
		"mediaType":     "application/vnd.oci.image.manifest.v1+json",
		"artifactType":  kind,
		"config": map[string]any{
			"mediaType": "application/vnd.oci.empty.v1+json", "artifactType": kind, "size": 2.0,
			"digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		},
		"layers":  []any{map[string]any{"mediaType": kind, "digest": attached[0].Bundle, "size": layerSize(got)}},
		"subject": map[string]any{"mediaType": subject.MediaType, "digest": subject.Digest.String(), "size": float64(subject.Size)},
		"annotations": map[string]any{
			"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": attest.PredicateType,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func layerSize(manifest map[string]any) any {
	layers, _ := manifest["layers"].([]any)
	layer, _ := layers[0].(map[string]any)
	return layer["size"]
}

func TestAttachTwiceIsNoOp(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		s.artifact()
		ref := s.host + "/app:v1"
		target, a := resolve(t, ref)
		bundle := sign(t, 1, attest.StatementOptions{}, a)
		withSpace := append(bytes.Clone(bundle), '\n')
		first, err := target.Attach(context.Background(), a, bundle, withSpace)
		if err != nil {
			t.Fatal(err)
		}
		if first[0].Existed || !first[1].Existed || first[0].Referrer != first[1].Referrer {
			t.Errorf("the same twice in one call: %+v", first)
		}
		puts := s.count("PUT manifests")
		second, err := open(t, ref).Attach(context.Background(), a, withSpace)
		if err != nil {
			t.Fatal(err)
		}
		if !second[0].Existed || second[0].Referrer != first[0].Referrer || s.count("PUT manifests") != puts {
			t.Errorf("the second time: %+v, %d manifests written", second, s.count("PUT manifests")-puts)
		}
		if found, _, errs := fetchAll(t, ref); len(found) != 1 || len(errs) > 0 {
			t.Errorf("%d found, %v", len(found), errs)
		}
	})
}

// A new bundle costs requests that do not depend on how many there are.
func TestAttachDoesNotListForNewBundles(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	ref := s.host + "/app:v1"
	cost := func(seed int) int {
		before := s.count("GET manifests")
		attach(t, ref, seed)
		return s.count("GET manifests") - before
	}
	first := cost(1)
	attach(t, ref, 2, 3, 4, 5, 6, 7, 8, 9)
	if last := cost(10); last != first {
		t.Errorf("%d manifests read with 9 there, %d with none", last, first)
	}
}

func TestAttachRefuses(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	target, a := resolve(t, s.host+"/app:v1")
	statement, err := attest.New(declare(t, 1), attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	by, err := key()
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := attest.Sign(context.Background(), statement, by, attest.SignOptions{Format: attest.DSSE})
	if err != nil {
		t.Fatal(err)
	}
	dsse, err := envelope.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	// with is a bundle of ours that has its signature so often
	with := func(bundle []byte, times int) string {
		before, rest, _ := strings.Cut(string(bundle), `"signatures":[`)
		one, after, ok := strings.Cut(rest, `]},"mediaType"`)
		if !ok {
			t.Fatalf("%s", bundle)
		}
		return before + `"signatures":[` + strings.Join(slices.Repeat([]string{one}, times), ",") + `]},"mediaType"` + after
	}
	about, run := sign(t, 1, attest.StatementOptions{}, a), signed(t, declare(t, 1), attest.StatementOptions{})
	for name, r := range map[string]struct{ data, want string }{
		"no bundle":      {`{}`, "malformed bundle"},
		"bare envelope":  {string(dsse), "bare DSSE"},
		"no signature":   {with(about, 0), "the envelope has 0 signatures, want exactly one"},
		"two signatures": {with(about, 2), "the envelope has 2 signatures, want exactly one"},
		"too large":      {`{"mediaType": "` + strings.Repeat("x", 16<<20) + `"}`, "at most 16777216"},
	} {
		if _, err := target.Attach(context.Background(), a, []byte(r.data)); err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: %v, want %q", name, err, r.want)
		}
	}
	for _, times := range []int{0, 2} {
		if _, _, err := target.PushRun(context.Background(), declare(t, 1), []byte(with(run, times))); !errors.As(err, new(*evidence.SignatureCountError)) {
			t.Errorf("pushed with %d signatures: %v", times, err)
		}
	}
	if n := s.count("PUT manifests") + s.count("POST blobs"); n != 0 {
		t.Errorf("%d requests wrote something", n)
	}
}

// Claims of other predicate types go where the artifact is, too, and are told apart.
func TestPredicateTypes(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		s.artifact()
		ref := s.host + "/app:v1"
		target, a := resolve(t, ref)
		subject, err := a.Subject()
		if err != nil {
			t.Fatal(err)
		}
		const approval = "https://example.test/approval/v1"
		claim, err := attest.NewClaim(approval, []attest.Subject{subject}, map[string]string{"decision": "approved"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.Attach(context.Background(), a, bundleOf(t, claim), sign(t, 1, attest.StatementOptions{}, a)); err != nil {
			t.Fatal(err)
		}
		for types, want := range map[string]int{"": 2, approval: 1, attest.PredicateType: 1, "https://example.test/none": 0} {
			var asked []string
			if types != "" {
				asked = []string{types}
			}
			found, l, errs := fetchAll(t, ref, asked...)
			if len(errs) > 0 || len(found) != want || l.Filtered() != 2-want {
				t.Errorf("%q: %d found, %d filtered, %v; want %d", types, len(found), l.Filtered(), errs, want)
			}
		}
	})
}

// Lists of attestations are held in memory, and with each its predicate type.
func TestLongPredicateType(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	ref := s.host + "/app:v1"
	target, a := resolve(t, ref)
	subject, err := a.Subject()
	if err != nil {
		t.Fatal(err)
	}
	for malformed, length := range []int{2000, 2001} {
		const scheme = "https://"
		claim, err := attest.NewClaim(scheme+strings.Repeat("x", length-len(scheme)), []attest.Subject{subject}, map[string]string{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.Attach(context.Background(), a, bundleOf(t, claim)); err != nil {
			t.Fatal(err)
		}
		if _, _, errs := fetchAll(t, ref); len(errs) != malformed {
			t.Errorf("%d: %v", length, errs)
		}
	}
}

func TestForeignReferrers(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		subject := s.artifact()
		ref := s.host + "/app:v1"
		attach(t, ref, 1)
		s.put("blob", "", "", []byte("sbom"))
		s.refer(subject, ocispec.Manifest{ArtifactType: "application/spdx+json", Layers: []ocispec.Descriptor{blob("sbom")}})
		found, l, errs := fetchAll(t, ref)
		if len(errs) > 0 || len(found) != 1 || l.Foreign() != 1 {
			t.Errorf("%d found, %d foreign, %v", len(found), l.Foreign(), errs)
		}
	})
}

// refer stores a manifest as a referrer, as another client would.
func (s *server) refer(subject ocispec.Descriptor, m ocispec.Manifest) ocispec.Descriptor {
	s.t.Helper()
	m.Subject = &subject
	d := s.manifest("", m)
	d.ArtifactType, d.Annotations = m.ArtifactType, m.Annotations
	tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
	index := s.index(tag)
	index.Manifests = append(index.Manifests, d)
	s.put("manifest", tag, index.MediaType, encode(s.t, index))
	return d
}

// index is the index under a tag, an empty one if there is none.
func (s *server) index(tag string) ocispec.Index {
	s.t.Helper()
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	index.SchemaVersion = 2
	resp, err := http.Get("http://" + s.host + "/v2/app/manifests/" + tag)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(&index); err != nil {
			s.t.Fatal(err)
		}
	}
	return index
}

// An index entry says what the referrers API would.
func TestFallbackEntries(t *testing.T) {
	s := newServer(t, false)
	subject := s.artifact()
	attached := attach(t, s.host+"/app:v1", 1)
	index := s.index(strings.ReplaceAll(subject.Digest.String(), ":", "-"))
	if len(index.Manifests) != 1 {
		t.Fatalf("%d entries", len(index.Manifests))
	}
	entry := index.Manifests[0]
	names := slices.Sorted(maps.Keys(entry.Annotations))
	want := []string{"dev.sigstore.bundle.content", "dev.sigstore.bundle.predicateType", "org.opencontainers.image.created"}
	if entry.Digest.String() != attached[0].Referrer || entry.ArtifactType != attest.BundleMediaType || !slices.Equal(names, want) {
		t.Errorf("entry %+v", entry)
	}
}

// TestRedirectedReferrers: a registry without the referrers API may say so where a redirect leads, as ghcr.io does.
func TestRedirectedReferrers(t *testing.T) {
	s := newServer(t, false)
	s.artifact()
	attach(t, s.host+"/app:v1", 1)
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case strings.Contains(r.URL.Path, "/referrers/sha256:"):
			http.Redirect(w, r, "/-/v2/packages/container/package/app%2Freferrers%2Fsha256", http.StatusSeeOther)
		case strings.HasPrefix(r.URL.Path, "/-/"):
			http.NotFound(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
	if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
}

// Two that attach one bundle at the same moment store it twice; it is read once.
func TestBundleThatIsThereTwice(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		subject := s.artifact()
		ref := s.host + "/app:v1"
		first := attach(t, ref, 1, 2)[0]
		found, _, _ := fetchAll(t, ref)
		if len(found) != 2 {
			t.Fatalf("%d found", len(found))
		}
		for _, f := range found {
			if f.Referrer == first.Referrer {
				s.refer(subject, ocispec.Manifest{
					ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{s.bundleLayerOf(string(f.Data))},
					Annotations: map[string]string{ocispec.AnnotationCreated: "2001-01-01T00:00:00Z"},
				})
			}
		}
		found, l, errs := fetchAll(t, ref)
		if len(found) != 2 || l.Repeated() != 1 || len(errs) > 0 {
			t.Errorf("%d found, %d repeated, %v; want 2 and 1", len(found), l.Repeated(), errs)
		}
		if again := attach(t, ref, 1); !again[0].Existed {
			t.Error("attached again")
		}
	})
}

// A client that may push cannot hide a bundle by attaching it where no listing finds it.
func TestHiddenBundleIsAttached(t *testing.T) {
	for name, hide := range map[string]func(m *ocispec.Manifest){
		"no artifact type": func(m *ocispec.Manifest) { m.ArtifactType = "" },
		"another type":     func(m *ocispec.Manifest) { m.ArtifactType = "application/spdx+json" },
		"another claim": func(m *ocispec.Manifest) {
			m.Annotations = map[string]string{"dev.sigstore.bundle.predicateType": "https://example.test/other"}
		},
	} {
		both(t, func(t *testing.T, s *server) {
			subject := s.artifact()
			ref := s.host + "/app:v1"
			_, a := resolve(t, ref)
			m := ocispec.Manifest{
				ArtifactType: attest.BundleMediaType,
				Layers:       []ocispec.Descriptor{s.bundleLayerOf(string(sign(t, 1, attest.StatementOptions{}, a)))},
			}
			hide(&m)
			s.refer(subject, m)
			attach(t, ref, 1)
			if found, _, errs := fetchAll(t, ref, attest.PredicateType); len(found) != 1 || len(errs) > 0 {
				t.Errorf("%s: %d found, %v", name, len(found), errs)
			}
		})
	}
}
