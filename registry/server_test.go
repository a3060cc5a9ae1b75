package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	ours "github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/signer"
)

// server is a registry on this machine, with a front that may spoil what it answers.
type server struct {
	t     *testing.T
	host  string
	inner http.Handler

	mu    sync.Mutex
	front func(w http.ResponseWriter, r *http.Request, next http.Handler)
	asked map[string]int // requests by method and kind
}

// newServer is a registry with the referrers API or without it.
func newServer(t *testing.T, api bool) *server {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("REGISTRY_AUTH_FILE", "")
	s := &server{t: t, asked: map[string]int{}}
	s.inner = registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(api))
	front := httptest.NewServer(s)
	t.Cleanup(front.Close)
	s.host = strings.TrimPrefix(front.URL, "http://")
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	front := s.front
	for _, kind := range []string{"blobs", "manifests", "referrers"} {
		if strings.Contains(r.URL.Path, "/"+kind+"/") {
			s.asked[r.Method+" "+kind]++
		}
	}
	s.mu.Unlock()
	if front != nil {
		front(w, r, s.inner)
		return
	}
	s.inner.ServeHTTP(w, r)
}

// spoil puts a front before the registry; nil takes it away.
func (s *server) spoil(front func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.front = front
}

func (s *server) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[what]
}

// put stores content past the front, and gives its digest.
func (s *server) put(kind, name, mediaType string, data []byte) string {
	s.t.Helper()
	sum := digest.FromBytes(data).String()
	method, path := http.MethodPut, "/v2/app/manifests/"+name
	if name == "" {
		path += sum
	}
	if kind == "blob" {
		method, path = http.MethodPost, "/v2/app/blobs/uploads/?digest="+sum
	}
	r := httptest.NewRequest(method, path, strings.NewReader(string(data)))
	r.Header.Set("Content-Type", mediaType)
	w := httptest.NewRecorder()
	s.inner.ServeHTTP(w, r)
	if w.Code/100 != 2 {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return sum
}

func blob(data string) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromString(data), Size: int64(len(data))}
}

// manifest stores a manifest of one layer.
func (s *server) manifest(tag string, m ocispec.Manifest) ocispec.Descriptor {
	s.t.Helper()
	m.Versioned, m.MediaType = specs.Versioned{SchemaVersion: 2}, ocispec.MediaTypeImageManifest
	if m.Config.Digest == "" {
		m.Config = ocispec.DescriptorEmptyJSON
		m.Config.Data = nil
	}
	s.put("blob", "", "", []byte(`{}`))
	data := encode(s.t, m)
	s.put("manifest", tag, m.MediaType, data)
	return ocispec.Descriptor{MediaType: m.MediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

// artifact is app:v1.
func (s *server) artifact() ocispec.Descriptor {
	s.t.Helper()
	s.put("blob", "", "", []byte("weights"))
	return s.manifest("v1", ocispec.Manifest{ArtifactType: "application/vnd.acme.model", Layers: []ocispec.Descriptor{blob("weights")}})
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, ref string) ours.Reference {
	t.Helper()
	r, err := ours.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, ref string) *ours.Target {
	t.Helper()
	target, err := ours.Open(parse(t, ref), ours.Options{Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// resolve opens a reference and finds what it names.
func resolve(t testing.TB, ref string) (*ours.Target, *ours.Artifact) {
	t.Helper()
	target := open(t, ref)
	a, err := target.Resolve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return target, a
}

var key = sync.OnceValues(func() (signer.Signer, error) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		return nil, err
	}
	return signer.Parse(pair.Private, nil)
})

func declare(t testing.TB, seed int) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema": %q, "kind": "inference", "model": {"name": "m"},
		"prompt": {"text": "hello"}, "parameters": {"seed": %d}, "context": [], "constraints": {}}`, identity.Schema, seed))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sign makes a bundle about a run, and about an artifact where one is given.
func sign(t testing.TB, seed int, o attest.StatementOptions, about ...*ours.Artifact) []byte {
	t.Helper()
	for _, a := range about {
		s, err := a.Subject()
		if err != nil {
			t.Fatal(err)
		}
		o.Subjects = append(o.Subjects, s)
	}
	statement, err := attest.New(declare(t, seed), o)
	if err != nil {
		t.Fatal(err)
	}
	return bundleOf(t, statement)
}

func bundleOf(t testing.TB, s attest.Signable) []byte {
	t.Helper()
	by, err := key()
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.Sign(context.Background(), s, by, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// attach attaches bundles of these seeds.
func attach(t testing.TB, ref string, seeds ...int) []ours.Attached {
	t.Helper()
	target, a := resolve(t, ref)
	var bundles [][]byte
	for _, seed := range seeds {
		bundles = append(bundles, sign(t, seed, attest.StatementOptions{}, a))
	}
	attached, err := target.Attach(context.Background(), a, bundles...)
	if err != nil {
		t.Fatal(err)
	}
	return attached
}

// fetchAll is what Bundles gives: the good ones, and the errors.
func fetchAll(t testing.TB, ref string, types ...string) (found []*ours.Found, l *ours.Listing, errs []error) {
	t.Helper()
	target, a := resolve(t, ref)
	l, err := target.List(context.Background(), a, types...)
	if err != nil {
		return nil, nil, []error{err}
	}
	for f, err := range l.Bundles(context.Background()) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found = append(found, f)
	}
	return found, l, errs
}

func decodeIndex(t *testing.T, data []byte) (index ocispec.Index) {
	t.Helper()
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	return index
}
