package registry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/registry"
)

// A malicious registry causes no false verification, no long wait and no large use of memory.
func TestMaliciousRegistry(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
		for {
			if _, err := fmt.Fprint(w, " "); err != nil || r.Context().Err() != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		spaces := bytes.Repeat([]byte(" "), 1<<20)
		for {
			if _, err := w.Write(spaces); err != nil {
				return
			}
		}
	}
	challenge := func(realm string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	dripping, flooding := newStranger(t, drip), newStranger(t, endless)
	for name, answer := range map[string]http.HandlerFunc{
		"drips":  drip,
		"floods": endless,
		"refuses at length": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			endless(w, r)
		},
		"drips a refusal": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			drip(w, r)
		},
		"claims a length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1152921504606846976")
			_, _ = w.Write([]byte("{"))
		},
		"a bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 64 {
				_, _ = z.Write(make([]byte, 1<<20))
			}
			_ = z.Close()
		},
		"headers": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 64 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 64<<10))
			}
		},
		"a token that drips":    challenge(dripping.URL),
		"a token that floods":   challenge(flooding.URL),
		"for ever unauthorized": challenge("http://127.0.0.1:1/"),
		"waits": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"says continue": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusEarlyHints)
				time.Sleep(time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			s.spoil(onPath("/manifests/", answer))
			target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{Timeout: 500 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = target.Resolve(context.Background())
			var failed *registry.Error
			if took := time.Since(start); !errors.As(err, &failed) || took > 20*time.Second || len(err.Error()) > 4000 {
				t.Errorf("after %s: %.300v", took, err)
			}
		})
	}
}
