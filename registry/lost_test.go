package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	ours "github.com/runattest/runattest/registry"
)

// A client that may push, and may not delete, must not make an attestation vanish silently: it may be a rejection.

// relabel makes of a run's manifest another one with the same declaration, to which nothing is attached.
func relabel(t *testing.T, a *ours.Artifact) ocispec.Manifest {
	t.Helper()
	var m ocispec.Manifest
	if err := json.Unmarshal(a.Manifest(), &m); err != nil {
		t.Fatal(err)
	}
	m.Annotations = map[string]string{"org.example.other": "x"}
	return m
}

// A run's tag moved to another manifest of the same declaration does not hide what is attached to the run.
func TestMovedRunTag(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		d := descend(t, 1)
		target := open(t, s.host+"/app")
		a := push(t, target, d, signed(t, d, attest.StatementOptions{}))
		s.manifest(strings.ReplaceAll(d.ID().String(), ":", "-"), relabel(t, a))
		_, errs := told(t, target, ours.RunsOptions{Of: []identity.ID{d.ID()}})
		if len(errs) != 1 || !errors.Is(errs[0], ours.ErrMismatch) || !errors.As(errs[0], new(*ours.SkippedError)) {
			t.Errorf("runs: %v", errs)
		}
		if _, _, err := target.FetchRun(context.Background(), d.ID()); !errors.Is(err, ours.ErrMismatch) {
			t.Errorf("fetched: %v", err)
		}
		if _, err := open(t, s.host+"/app@"+d.ID().String()).Resolve(context.Background()); !errors.Is(err, ours.ErrMismatch) {
			t.Errorf("resolved: %v", err)
		}
	})
}

// A referrer is listed with the predicate type that is wanted, and its statement says another, or none that
// can be read.
func TestReferrerListedAsAnother(t *testing.T) {
	const wanted = "https://example.test/approval"
	s := newServer(t, true)
	subject := s.artifact()
	ref := s.host + "/app:v1"
	_, a := resolve(t, ref)
	hang := func(bundle []byte, said map[string]string) {
		s.refer(subject, ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{s.bundleLayerOf(string(bundle))}, Annotations: said})
	}
	hang(sign(t, 1, attest.StatementOptions{}, a), map[string]string{"dev.sigstore.bundle.predicateType": wanted})
	payload := regexp.MustCompile(`"payload":"[^"]*"`)
	hang(payload.ReplaceAll(sign(t, 2, attest.StatementOptions{}, a), []byte(`"payload":"AAAA"`)), nil)
	hang(sign(t, 3, attest.StatementOptions{}, a), nil) // says what it is, and is left out
	found, l, errs := fetchAll(t, ref, wanted)
	if len(found) != 0 || len(errs) != 2 || l.Filtered() != 1 {
		t.Errorf("%d found, %d left out, %v", len(found), l.Filtered(), errs)
	}
	for _, err := range errs {
		if !errors.As(err, new(*ours.MalformedError)) {
			t.Errorf("%v", err)
		}
	}
}

// spoilers are what may happen to a manifest in a layout folder; false is for what cannot happen here.
var spoilers = map[string]func(path string) (bool, error){
	"emptied":    func(path string) (bool, error) { return true, os.WriteFile(path, nil, 0o600) },
	"spoilt":     func(path string) (bool, error) { return true, os.WriteFile(path, []byte("{}"), 0o600) },
	"unreadable": func(path string) (bool, error) { return os.Getuid() != 0, os.Chmod(path, 0) },
	"loop":       func(path string) (bool, error) { return true, errors.Join(os.Remove(path), os.Symlink(path, path)) },
}

// A manifest in a layout that cannot be read, whose entry does not say what it is, may be an attestation.
func TestLayoutSpoiltReferrer(t *testing.T) {
	for name, spoil := range spoilers {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "runs.d")
			if err := ours.CreateLayout(dir); err != nil {
				t.Fatal(err)
			}
			d := descend(t, 1)
			target := open(t, "oci-layout://"+dir)
			push(t, target, d, signed(t, d, attest.StatementOptions{}))
			data, err := os.ReadFile(filepath.Join(dir, "index.json"))
			if err != nil {
				t.Fatal(err)
			}
			index := decodeIndex(t, data)
			entries := index.Manifests
			at := slices.IndexFunc(entries, func(e ocispec.Descriptor) bool { return e.ArtifactType == attest.BundleMediaType })
			entries[at].ArtifactType, entries[at].Annotations = "", nil // as other programs write it
			writeIndex(t, dir, entries...)
			if can, err := spoil(filepath.Join(dir, "blobs", "sha256", entries[at].Digest.Encoded())); !can {
				t.Skip("everything is allowed to this user")
			} else if err != nil {
				t.Fatal(err)
			}
			if _, errs := told(t, target, ours.RunsOptions{Of: []identity.ID{d.ID()}}); len(errs) == 0 {
				t.Error("runs: lost in silence")
			}
			if _, _, errs := fetchAll(t, "oci-layout://"+dir+"@"+d.ID().String()); len(errs) == 0 {
				t.Error("listed: lost in silence")
			}
		})
	}
}

// An entry of an index that lies about a manifest's size does not hide the manifest.
func TestLayoutLyingSize(t *testing.T) {
	dir := newLayout(t)
	attach(t, "oci-layout://"+dir+":v1", 1)
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	entries := decodeIndex(t, data).Manifests
	lying := entries[1]
	lying.Size++
	writeIndex(t, dir, append([]ocispec.Descriptor{lying}, entries...)...)
	if found, _, _ := fetchAll(t, "oci-layout://"+dir+":v1"); len(found) != 1 {
		t.Errorf("%d found", len(found))
	}
}

// What holds a bundle of another size than it has is malformed where it is read, and does not keep the bundle out.
func TestBundleHeldWithWrongSize(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		subject := s.artifact()
		ref := s.host + "/app:v1"
		target, a := resolve(t, ref)
		bundle := sign(t, 1, attest.StatementOptions{}, a)
		layer := s.bundleLayerOf(string(bundle))
		layer.Size++
		s.refer(subject, ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{layer}})
		if attached, err := target.Attach(context.Background(), a, bundle); err != nil || attached[0].Existed {
			t.Fatalf("%v, %v", attached, err)
		}
		found, _, errs := fetchAll(t, ref)
		if len(found) != 1 || len(errs) != 1 || !errors.As(errs[0], new(*ours.MalformedError)) || !strings.Contains(errs[0].Error(), "is said to have") {
			t.Errorf("%d found, %v", len(found), errs)
		}
	})
}

// A client that may push writes descriptors. Wrong ones are not a failure of the registry, which would fail every
// verification.
func TestWrongDescriptors(t *testing.T) {
	for name, lie := range map[string]func(d *ocispec.Descriptor){
		"longer":    func(d *ocispec.Descriptor) { d.Size++ },
		"shorter":   func(d *ocispec.Descriptor) { d.Size-- },
		"nothing":   func(d *ocispec.Descriptor) { d.Size = 0 },
		"type":      func(d *ocispec.Descriptor) { d.MediaType = "application/vnd.docker.distribution.manifest.v2+json" },
		"a blob":    func(d *ocispec.Descriptor) { d.MediaType = "text/plain" },
		"sha512":    func(d *ocispec.Descriptor) { d.Digest = digest.SHA512.FromString("nothing") },
		"unknown":   func(d *ocispec.Descriptor) { d.Digest = "md5:00" },
		"no digest": func(d *ocispec.Descriptor) { d.Digest = "" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, false)
			subject := s.artifact()
			ref := s.host + "/app:v1"
			attach(t, ref, 1, 2)
			tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
			index := s.index(tag)
			lying := index.Manifests[0]
			lie(&lying)
			index.Manifests = append([]ocispec.Descriptor{lying}, index.Manifests...)
			s.spoil(noAPI(func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", index.MediaType)
				_, _ = w.Write(encode(t, index))
			}))
			found, _, errs := fetchAll(t, ref)
			if len(found) != 2 || len(errs) != 1 || !errors.As(errs[0], new(*ours.MalformedError)) {
				t.Errorf("%d found, %v", len(found), errs)
			}

			dir := newLayout(t)
			attach(t, "oci-layout://"+dir+":v1", 1, 2)
			data, err := os.ReadFile(filepath.Join(dir, "index.json"))
			if err != nil {
				t.Fatal(err)
			}
			entries := decodeIndex(t, data).Manifests
			lying = entries[1]
			lie(&lying)
			writeIndex(t, dir, append([]ocispec.Descriptor{lying}, entries...)...)
			found, _, errs = fetchAll(t, "oci-layout://"+dir+":v1")
			if len(found) != 2 || len(errs) > 1 || len(errs) == 1 && !errors.As(errs[0], new(*ours.MalformedError)) {
				t.Errorf("layout: %d found, %v", len(found), errs)
			}
		})
	}
}

// A list of tags that breaks off ends the runs: it is not an error of one of them.
func TestRunsOfBrokenTagList(t *testing.T) {
	s := newServer(t, true)
	target := open(t, s.host+"/app")
	push(t, target, descend(t, 1))
	for name, answer := range map[string]func(w http.ResponseWriter){
		"cut off": func(w http.ResponseWriter) { w.Header().Set("Content-Length", "1000"); _, _ = w.Write([]byte("{")) },
		"not there": func(w http.ResponseWriter) {
			w.WriteHeader(404)
			_, _ = w.Write([]byte(`{"errors":[{"code":"NAME_UNKNOWN"}]}`))
		},
		"mismatch": func(w http.ResponseWriter) {
			w.WriteHeader(418)
			_, _ = w.Write([]byte(`{"errors":[{"message":"mismatch"}]}`))
		},
	} {
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				answer(w)
				return
			}
			next.ServeHTTP(w, r)
		})
		if _, errs := told(t, target, ours.RunsOptions{}); len(errs) != 1 || errors.As(errs[0], new(*ours.SkippedError)) {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

// A list of referrers is held in memory: pages of a few with much text, or of many with none, are not.
func TestReferrersTakeBoundedMemory(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	target, a := resolve(t, s.host+"/app:v1")
	text, nothing := strings.Repeat("x", 15<<20), strings.Repeat("1,", 7<<20)+"1"
	for name, c := range map[string]struct {
		page  func(n int) string
		pages int
		want  string
	}{
		"text":    {func(n int) string { return fmt.Sprintf(`{"size":1,"digest":"%d","artifactType":"%s"}`, n, text) }, 5, "too long"},
		"nothing": {func(int) string { return nothing }, 1, "commas"},
	} {
		pages := 0
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if !strings.Contains(r.URL.Path, "/referrers/") {
				next.ServeHTTP(w, r)
				return
			}
			pages++
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			w.Header().Set("Link", fmt.Sprintf(`<%s?page=%d>; rel="next"`, r.URL.Path, pages))
			_, _ = fmt.Fprintf(w, `{"manifests":[%s]}`, c.page(pages))
		})
		if _, err := target.List(context.Background(), a); err == nil || !strings.Contains(err.Error(), c.want) || pages != c.pages {
			t.Errorf("%s: %d pages, %v", name, pages, err)
		}
	}
}

// A blob that is there and is not what its name says is written anew.
func TestLayoutRepairsBlobs(t *testing.T) {
	dir := newLayout(t)
	packed := pack(t, dir)
	for _, path := range []string{dir, packed} {
		ref := "oci-layout://" + path + ":v1"
		_, a := resolve(t, ref)
		bundle := bytes.TrimSpace(sign(t, 1, attest.StatementOptions{}, a))
		name, wrong := "blobs/sha256/"+digest.FromBytes(bundle).Encoded(), strings.Repeat("x", len(bundle))
		spoil := func() {
			if path == packed {
				replaceEntry(name, file(name, wrong))(t, packed)
			} else {
				writeFile(t, filepath.Join(dir, name), []byte(wrong))
			}
		}
		for range 2 { // before it is attached, and after
			spoil()
			attach(t, ref, 1, 2)
			if found, _, errs := fetchAll(t, ref); len(found) != 2 || len(errs) > 0 {
				t.Errorf("%s: %d found, %v", path, len(found), errs)
			}
		}
	}
}

// A folder with an index.json of another kind is made no layout: it would be overwritten.
func TestCreateLayoutKeepsFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "index.json")
	writeFile(t, path, []byte(`{"pages":[1,2]}`))
	if err := ours.CreateLayout(dir); !errors.Is(err, ours.ErrLayout) {
		t.Errorf("%v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != `{"pages":[1,2]}` {
		t.Errorf("%s, %v", data, err)
	}
	noLitter(t, path)
	if _, err := ours.Open(parse(t, "oci-layout://"+dir), ours.Options{}); !errors.Is(err, ours.ErrLayout) {
		t.Errorf("it is a layout now: %v", err)
	}
}
