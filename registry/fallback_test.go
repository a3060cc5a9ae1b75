package registry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// Fifty writers, each with a connection of its own, as processes have.
func TestFiftyWriters(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		s.artifact()
		ref := s.host + "/app:v1"
		slow(s, 5*time.Millisecond)
		_, a := resolve(t, ref)
		writers := 50
		if testing.Short() { // under the race detector each takes many times as long
			writers = 12
		}
		var wg sync.WaitGroup
		for i := range writers {
			bundle := sign(t, i, attest.StatementOptions{}, a)
			target, err := registry.Open(parse(t, ref), registry.Options{Timeout: 2 * time.Minute}) // on a machine that has more to do, too
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if _, err := target.Attach(context.Background(), a, bundle); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if found, _, errs := fetchAll(t, ref); len(found) != writers || len(errs) > 0 {
			t.Errorf("%d referrers of %d writers, %v", len(found), writers, errs)
		}
	})
}

// slow makes every answer take a while, so that writers meet.
func slow(s *server, d time.Duration) {
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(d)
		next.ServeHTTP(w, r)
	})
}

func isIndexWrite(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/sha256-")
}

// Another writer's old index comes in after ours: we see that and put our entry back.
func TestOverwrittenEntryComesBack(t *testing.T) {
	s := newServer(t, false)
	subject := s.artifact()
	tag := strings.ReplaceAll(subject.Digest.String(), ":", "-")
	attach(t, s.host+"/app:v1", 1)
	old := encode(t, s.index(tag))
	var once sync.Once
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		if isIndexWrite(r) {
			once.Do(func() { s.put("manifest", tag, "application/vnd.oci.image.index.v1+json", old) })
		}
	})
	attach(t, s.host+"/app:v1", 2)
	if n := len(s.index(tag).Manifests); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

// A registry that obeys If-Match never has an entry overwritten.
func TestIfMatchIsSent(t *testing.T) {
	s := newServer(t, false)
	s.artifact()
	var mu sync.Mutex
	var current string
	var refused, blind atomic.Int32
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !strings.Contains(r.URL.Path, "/manifests/sha256-") {
			next.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPut {
			match := r.Header.Get("If-Match")
			switch {
			case match == "" && r.Header.Get("If-None-Match") != "*":
				blind.Add(1)
			case match != current:
				refused.Add(1)
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		if answer.Code == http.StatusOK {
			current = `"` + digest.FromBytes(answer.Body.Bytes()).String() + `"`
			w.Header().Set("ETag", current)
		} else if answer.Code == http.StatusCreated {
			current = `"` + answer.Header().Get("Docker-Content-Digest") + `"`
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
	_, a := resolve(t, s.host+"/app:v1")
	var wg sync.WaitGroup
	for i := range 10 {
		bundle := sign(t, i, attest.StatementOptions{}, a)
		target := open(t, s.host+"/app:v1")
		wg.Go(func() {
			if _, err := target.Attach(context.Background(), a, bundle); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if found, _, _ := fetchAll(t, s.host+"/app:v1"); len(found) != 10 || blind.Load() != 0 {
		t.Errorf("%d found, %d writes without a condition", len(found), blind.Load())
	}
	t.Logf("%d writes were refused and repeated", refused.Load())
}

// busy refuses writes of the index with what a registry says that has too much to do.
func busy(s *server, times int32, header string, code int) (asked *atomic.Int32, at *[]time.Time) {
	asked, at = new(atomic.Int32), new([]time.Time)
	var mu sync.Mutex
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isIndexWrite(r) {
			mu.Lock()
			*at = append(*at, time.Now())
			mu.Unlock()
			if asked.Add(1) <= times {
				w.Header().Set("Retry-After", header)
				w.WriteHeader(code)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
	return asked, at
}

// A write of the index is repeated no sooner than the registry wants.
func TestIndexWritesObeyRetryAfter(t *testing.T) {
	for _, r := range []struct {
		header string
		code   int
		least  time.Duration
	}{
		{"1", http.StatusTooManyRequests, time.Second},
		{"1", http.StatusServiceUnavailable, time.Second},
		{time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), http.StatusServiceUnavailable, 0},
	} {
		s := newServer(t, false)
		s.artifact()
		asked, at := busy(s, 1, r.header, r.code)
		attach(t, s.host+"/app:v1", 1)
		if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
			t.Errorf("%d found, %v", len(found), errs)
		}
		if n := asked.Load(); n != 2 || (*at)[1].Sub((*at)[0]) < r.least {
			t.Errorf("%s: asked %d times, at %v; want %s between", r.header, n, *at, r.least)
		}
	}
}

// No write takes longer than --timeout, and each ends with an interrupt.
func TestIndexWritesGiveUp(t *testing.T) {
	s := newServer(t, false)
	s.artifact()
	target, a := resolve(t, s.host+"/app:v1") // with a timeout of 20 seconds
	bundle := sign(t, 1, attest.StatementOptions{}, a)
	start := time.Now()
	asked, _ := busy(s, 1<<30, "3600", http.StatusTooManyRequests)
	_, err := target.Attach(context.Background(), a, bundle)
	var failed *registry.Error
	if !errors.As(err, &failed) || failed.Hint == "" || !strings.Contains(err.Error(), "left alone for 1h0m0s") || asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	asked, _ = busy(s, 1<<30, "0", http.StatusTooManyRequests)
	if _, err = target.Attach(context.Background(), a, bundle); !errors.As(err, &failed) || !strings.Contains(err.Error(), "429") || asked.Load() != 4 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	busy(s, 1<<30, "15", http.StatusTooManyRequests)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err = target.Attach(ctx, a, bundle); err == nil {
		t.Error("an interrupt was not heeded")
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("all that took %s", d)
	}
}

func TestIndexWriteIsNotAnswered(t *testing.T) {
	s := newServer(t, false)
	s.artifact()
	_, a := resolve(t, s.host+"/app:v1")
	bundle := sign(t, 1, attest.StatementOptions{}, a)
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !isIndexWrite(r) {
			next.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // until when the server does not see that the client leaves
		<-r.Context().Done()
	})
	target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if a, err = target.Resolve(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, err = target.Attach(context.Background(), a, bundle)
	if err == nil || !strings.Contains(err.Error(), "the registry did not answer when it was written") || strings.Contains(err.Error(), "has taken") {
		t.Error(err)
	}
}

func TestImmutableTags(t *testing.T) {
	for name, refuse := range map[string]struct {
		status int
		body   string
	}{
		"ecr":     {http.StatusBadRequest, `{"errors":[{"code":"TAG_INVALID","message":"the tag already exists and cannot be overwritten because the repository is immutable"}]}`},
		"harbor":  {http.StatusPreconditionFailed, `{"errors":[{"code":"PRECONDITION","message":"configured as immutable, cannot be updated"}]}`},
		"another": {http.StatusConflict, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, false)
			s.artifact()
			attach(t, s.host+"/app:v1", 1)
			s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if isIndexWrite(r) {
					w.WriteHeader(refuse.status)
					_, _ = w.Write([]byte(refuse.body))
					return
				}
				next.ServeHTTP(w, r)
			})
			target, a := resolve(t, s.host+"/app:v1")
			_, err := target.Attach(context.Background(), a, sign(t, 2, attest.StatementOptions{}, a))
			var failed *registry.Error
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), "immutable") || failed.Hint == "" {
				t.Errorf("%v", err)
			}
			if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
				t.Errorf("%d found, %v; want the first", len(found), errs)
			}
		})
	}
}
