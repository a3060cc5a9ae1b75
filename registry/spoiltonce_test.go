package registry_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/runattest/runattest/registry"
)

// A registry that serves a blob spoilt once has failed; the descriptor is right.
func TestSpoiltOnce(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	attach(t, s.host+"/app:v1", 1)
	var n atomic.Int64
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/blobs/") && r.Method == http.MethodGet && n.Add(1) == 1 {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			body := rec.Body.Bytes()
			body[0] ^= 1
			for k, v := range rec.Header() {
				w.Header()[k] = v
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(body)
			return
		}
		next.ServeHTTP(w, r)
	})
	_, _, errs := fetchAll(t, s.host+"/app:v1")
	if len(errs) != 1 || errors.As(errs[0], new(*registry.MalformedError)) || !errors.Is(errs[0], registry.ErrMismatch) {
		t.Errorf("%v", errs)
	}
}
