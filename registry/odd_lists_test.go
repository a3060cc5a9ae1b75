package registry_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
)

// TestOddListIsNoList: what is answered with success in place of the list of referrers is an error, whatever the index
// under the fallback tag says, and is forgotten with the next answer: a list that a program keeps asking recovers.
func TestOddListIsNoList(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"a page":            page(200),
		"nothing":           typed(200, "", ""),
		"an error":          typed(200, ocispec.MediaTypeImageIndex, `{"errors":[{"code":"UNAVAILABLE"}]}`),
		"with a charset":    typed(200, ocispec.MediaTypeImageIndex+"; charset=utf-8", `{"errors":[{"code":"UNAVAILABLE"}]}`),
		"an image manifest": typed(200, ocispec.MediaTypeImageManifest, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`),
	} {
		for _, tag := range []string{"no index", "an old index", "an index that is the subject"} {
			t.Run(name+", "+tag, func(t *testing.T) {
				s := newServer(t, true)
				s.artifact()
				target, a := resolve(t, s.host+"/app:v1")
				subject := a.Reference.String()[strings.LastIndex(a.Reference.String(), "@")+1:]
				if tag == "an old index" {
					s.put("manifest", strings.Replace(subject, ":", "-", 1), ocispec.MediaTypeImageIndex,
						[]byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`))
				}
				if _, err := target.Attach(t.Context(), a, sign(t, 1, attest.StatementOptions{}, a)); err != nil {
					t.Fatal(err)
				}
				var asked atomic.Int32
				s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					switch {
					case strings.Contains(r.URL.Path, "/referrers/") && asked.Add(1) == 1:
						answer(w, r)
						return
					case tag == "an index that is the subject" && strings.Contains(r.URL.Path, "/manifests/sha256-"):
						r.URL.Path = strings.Replace(r.URL.Path, "sha256-", "sha256:", 1)
					}
					next.ServeHTTP(w, r)
				})
				fresh, b := resolve(t, s.host+"/app:v1")
				for i, known := range []bool{false, true} {
					if known {
						asked.Store(0)
					}
					if l, err := fresh.List(t.Context(), b); err == nil {
						t.Errorf("%d: a list of %d", i, l.Len())
					}
					if l, err := fresh.List(t.Context(), b); err != nil || l.Len() != 1 {
						t.Errorf("%d: not recovered: %v, %v", i, l, err)
					}
				}
			})
		}
	}
}

// TestWritesOfTypePage: a registry may leave the type of its answers to writes to a framework for pages.
func TestWritesOfTypePage(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		next.ServeHTTP(w, r)
	})
	attach(t, s.host+"/app:v1", 1)
	target, a := resolve(t, s.host+"/app:v1")
	if l, err := target.List(t.Context(), a); err != nil || l.Len() != 1 {
		t.Errorf("%v, %v", l, err)
	}
}
