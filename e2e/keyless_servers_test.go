package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// asked is a service as runattest knows it: what flag names it, and what errors call it.
type asked struct{ flag, name, url string }

func allAsked(s *services.Services) []asked {
	return []asked{
		{"--fulcio", "certificate authority", s.Fulcio.URL},
		{"--timestamp-server", "timestamp authority", s.Timestamper.URL},
		{"--rekor", "transparency log", s.Rekor.URL},
	}
}

// startFront puts a fault before a server for one test.
func startFront(t *testing.T, target string, fault services.Fault) *services.Front {
	t.Helper()
	front, err := services.Faulty(target, fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Stop)
	return front
}

// none has no fault: the proxy only counts requests.
var none = services.Unavailable(0)

// first has the first n requests meet the fault, and the others a good server.
func first(n int, fault services.Fault) services.Fault {
	return func(good http.Handler) http.Handler {
		var seen atomic.Int64
		bad := fault(good)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if seen.Add(1) <= int64(n) {
				bad.ServeHTTP(w, r)
			} else {
				good.ServeHTTP(w, r)
			}
		})
	}
}

// always gives one answer.
func always(answer func(http.ResponseWriter)) services.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) })
	}
}

func flood(w http.ResponseWriter) {
	w.WriteHeader(http.StatusCreated)
	io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat(" ", 8<<20)), 8<<20))
}

// drip answers a byte at a time, for as long as the client reads.
func drip(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		for r.Context().Err() == nil {
			io.WriteString(w, " ")
			http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// replay gives every client the answer that the first client got.
func replay(good http.Handler) http.Handler {
	var once sync.Once
	whole := httptest.NewRecorder()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { good.ServeHTTP(whole, r) })
		w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
		w.WriteHeader(whole.Code)
		w.Write(whole.Body.Bytes())
	})
}
