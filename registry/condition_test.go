package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// Writes of the index of referrers on condition that it has not changed.

// withETags answers reads of the index with an ETag, and has each conditional write answered by refuse.
func withETags(etag string, refuse http.HandlerFunc) front {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case isIndexWrite(r) && (r.Header.Get("If-Match") != "" || r.Header.Get("If-None-Match") != ""):
			refuse(w, r)
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/sha256-"):
			w.Header().Set("ETag", etag)
			next.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	}
}

// A registry that takes no conditions is written to without.
func TestRefusedConditions(t *testing.T) {
	for _, code := range []int{304, 400, 403, 404, 405, 409, 412, 500, 501} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			s := newServer(t, false)
			s.artifact()
			s.spoil(withETags(`"x"`, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
			start := time.Now()
			for seed := range 2 { // with If-None-Match, and with If-Match
				attach(t, s.host+"/app:v1", seed)
			}
			if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 2 || len(errs) > 0 {
				t.Errorf("%d found, %v", len(found), errs)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// A weak ETag is never the same as itself for If-Match.
func TestWeakETagIsNoCondition(t *testing.T) {
	s := newServer(t, false)
	s.artifact()
	attach(t, s.host+"/app:v1", 1)
	s.spoil(withETags(`W/"x"`, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("If-Match: %s", r.Header.Get("If-Match"))
		w.WriteHeader(http.StatusPreconditionFailed)
	}))
	attach(t, s.host+"/app:v1", 2)
}

// A registry that refuses every write ends it soon, and no others are to blame.
func TestRefusedWrites(t *testing.T) {
	for _, code := range []int{400, 405, 412, 500} {
		s := newServer(t, false)
		s.artifact()
		attach(t, s.host+"/app:v1", 1)
		target, a := resolve(t, s.host+"/app:v1")
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if isIndexWrite(r) {
				w.WriteHeader(code)
				fmt.Fprint(w, `{"errors":[{"code":"X","message":"not today"}]}`)
				return
			}
			next.ServeHTTP(w, r)
		})
		start := time.Now()
		_, err := target.Attach(context.Background(), a, sign(t, 2, attest.StatementOptions{}, a))
		var failed *registry.Error
		if !errors.As(err, &failed) || strings.Contains(err.Error(), "other writers") || !strings.Contains(err.Error(), "not today") {
			t.Errorf("%d: %v", code, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%d: took %s", code, took)
		}
	}
}

// attachFails attaches to app:v1 with a timeout of three seconds, and wants the error soon after.
func (s *server) attachFails(t *testing.T, want string) {
	t.Helper()
	target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{Timeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	a, err := target.Resolve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = target.Attach(context.Background(), a, sign(t, 1, attest.StatementOptions{}, a))
	if err == nil || !strings.Contains(err.Error(), want) || time.Since(start) > 20*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// A write that the registry accepts but does not serve fails within the timeout.
func TestVainWrites(t *testing.T) {
	s := newServer(t, false)
	s.artifact()
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isIndexWrite(r) {
			w.WriteHeader(http.StatusCreated)
			return
		}
		next.ServeHTTP(w, r)
	})
	s.attachFails(t, "does not serve it")
}

// Others that never stop writing are named, and not waited for longer than the timeout.
func TestOthersNeverStop(t *testing.T) {
	s := newServer(t, false)
	subject := s.artifact()
	tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
	var n atomic.Int32
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		if isIndexWrite(r) {
			other := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{blob(fmt.Sprint(n.Add(1)))}}
			s.put("manifest", tag, other.MediaType, encode(t, other))
		}
	})
	s.attachFails(t, "other writers")
}

// One timeout is for all that an answer takes: the request, the token service, and the request again.
func TestTimeoutIsForAll(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	service := newStranger(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(300 * time.Millisecond)
		fmt.Fprint(w, `{"token":"x"}`)
	})
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(300 * time.Millisecond)
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+service.URL+`/token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
	target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{Timeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.Resolve(context.Background())
	var failed *registry.Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "no answer within 500ms") {
		t.Errorf("%v", err)
	}
}

// The tag names the artifact itself, as cosign copy leaves it, and as registries have it that read the tag as a digest:
// its platforms are not referrers, and are not written into the list.
func TestFallbackTagNamesTheArtifact(t *testing.T) {
	for _, kind := range []string{"an index", "a manifest"} {
		t.Run(kind, func(t *testing.T) {
			s := newServer(t, false)
			subject := s.artifact()
			_, platform := resolve(t, s.host+"/app:v1")
			data := platform.Manifest()
			if kind == "an index" {
				d := subject
				d.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}
				index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{d}, Annotations: map[string]string{"of": "the image"}}
				index.SchemaVersion = 2
				data = encode(t, index)
				subject = ocispec.Descriptor{MediaType: index.MediaType, Digest: digest.FromBytes(data)}
			}
			tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
			s.put("manifest", "v1", subject.MediaType, data)
			s.put("manifest", tag, subject.MediaType, data)
			ref := s.host + "/app:v1"
			if found, l, errs := fetchAll(t, ref); len(found) != 0 || l == nil || l.Len()+l.Foreign() != 0 || len(errs) > 0 {
				t.Fatalf("%d found, %v", len(found), errs)
			}
			attach(t, ref, 1, 2)
			found, l, errs := fetchAll(t, ref)
			if len(found) != 2 || l.Foreign() != 0 || len(errs) > 0 {
				t.Errorf("%d found, %d foreign, %v", len(found), l.Foreign(), errs)
			}
			if got := s.index(tag); len(got.Manifests) != 2 || got.Annotations != nil {
				t.Errorf("the index of referrers: %+v", got)
			}
		})
	}
}

// TestFallbackTagNamesAnImage: an index that names the artifact as one of its platforms does not list referrers, and its platforms are
// not written into the list. What a client has added to it is one.
func TestFallbackTagNamesAnImage(t *testing.T) {
	for name, c := range map[string]struct {
		mediaType string
		added     bool
	}{
		"an index":                 {ocispec.MediaTypeImageIndex, false},
		"an index with a referrer": {ocispec.MediaTypeImageIndex, true},
		"Docker's list":            {"application/vnd.docker.distribution.manifest.list.v2+json", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, false)
			subject := s.artifact()
			ref := s.host + "/app:v1"
			tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
			attach(t, ref, 3)
			added := s.index(tag).Manifests
			platform, other := subject, s.manifest("", ocispec.Manifest{ArtifactType: "application/x", Layers: []ocispec.Descriptor{blob("weights")}})
			platform.Platform, other.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}, &ocispec.Platform{OS: "linux", Architecture: "arm64"}
			image := ocispec.Index{MediaType: c.mediaType, Manifests: []ocispec.Descriptor{platform, other}, Annotations: map[string]string{"of": "the image"}}
			want := 1
			if c.added {
				image.Manifests, want = append(image.Manifests, added...), 2
			}
			image.SchemaVersion = 2
			s.put("manifest", tag, image.MediaType, encode(t, image))
			if found, l, errs := fetchAll(t, ref); len(found) != want-1 || l.Len()+l.Foreign() != want-1 || len(errs) > 0 {
				t.Fatalf("%d found, %v", len(found), errs)
			}
			attach(t, ref, 1)
			found, l, errs := fetchAll(t, ref)
			if len(found) != want || l.Foreign() != 0 || len(errs) > 0 {
				t.Errorf("%d found, %d foreign, %v", len(found), l.Foreign(), errs)
			}
			if got := s.index(tag); len(got.Manifests) != want || got.Annotations != nil || got.MediaType != ocispec.MediaTypeImageIndex {
				t.Errorf("the index of referrers: %+v", got)
			}
		})
	}
}

// TestFallbackTagNamesAnother: where the tag names another artifact, nothing can be listed, and the hint says what it is for.
func TestFallbackTagNamesAnother(t *testing.T) {
	s := newServer(t, false)
	subject := s.artifact()
	_, a := resolve(t, s.host+"/app:v1")
	s.put("manifest", strings.ReplaceAll(subject.Digest.String(), ":", "-"), ocispec.MediaTypeImageManifest, append([]byte("\n"), a.Manifest()...))
	_, err := open(t, s.host+"/app:v1").List(t.Context(), a)
	if failed := (*registry.Error)(nil); !errors.As(err, &failed) || !strings.Contains(string(failed.Hint), "clients list under this tag") {
		t.Errorf("%v", err)
	}
}

// A registry that always takes the tag for the digest cannot list referrers.
func TestFallbackTagIsAlwaysTheArtifact(t *testing.T) {
	s := newServer(t, false)
	subject := s.artifact()
	tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, tag) {
			r.URL.Path = strings.ReplaceAll(r.URL.Path, tag, subject.Digest.String())
		}
		next.ServeHTTP(w, r)
	})
	target, a := resolve(t, s.host+"/app:v1")
	if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 0 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
	start := time.Now()
	_, err := target.Attach(context.Background(), a, sign(t, 1, attest.StatementOptions{}, a))
	if err == nil || !strings.Contains(err.Error(), "names the artifact itself") || time.Since(start) > 15*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// A registry that compares ETags keeps its protection: no write without a condition after one was refused because
// another client has written.
func TestConditionsAreKept(t *testing.T) {
	s := newServer(t, false)
	subject := s.artifact()
	tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
	attach(t, s.host+"/app:v1", 100)
	var mu sync.Mutex
	races, blind := 0, 0
	served := func() []byte {
		r := httptest.NewRecorder()
		s.inner.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/v2/app/manifests/"+tag, nil))
		return r.Body.Bytes()
	}
	etag := func() string { return `"` + digest.FromBytes(served()).String() + `"` }
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		defer mu.Unlock()
		if isIndexWrite(r) {
			if races++; races <= 6 { // another one is faster, each time
				other := decodeIndex(t, served())
				other.Manifests = append(other.Manifests, blob(fmt.Sprint("other", races)))
				s.put("manifest", tag, other.MediaType, encode(t, other))
			}
			if match := r.Header.Get("If-Match"); match == "" {
				blind++
			} else if match != etag() {
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
		}
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, tag) {
			w.Header().Set("ETag", etag())
		}
		next.ServeHTTP(w, r)
	})
	attach(t, s.host+"/app:v1", 1)
	if n := len(s.index(tag).Manifests); n != 8 || blind != 0 {
		t.Errorf("%d entries, want 8; %d writes without a condition", n, blind)
	}
}
