package services

import (
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Front stands before a server and misbehaves. Its URL goes where the server's would.
type Front struct {
	*local
	requests atomic.Int64
}

// Requests is how many came in so far.
func (f *Front) Requests() int { return int(f.requests.Load()) }

// Fault makes a misbehaving server of a good one. One handler serves all requests.
type Fault func(good http.Handler) http.Handler

// Faulty puts a fault before the server at a URL.
func Faulty(target string, fault Fault) (*Front, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	origin := &url.URL{Scheme: u.Scheme, Host: u.Host}
	handler := fault(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(origin) },
		Transport: client.Transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	})
	f := new(Front)
	f.local, err = serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		handler.ServeHTTP(w, r)
	}))
	if err != nil {
		return nil, err
	}
	f.URL += u.Path
	return f, nil
}

// Down is the URL of a server that has gone: connections are refused.
func Down(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	u.Host = "127.0.0.1:9" // nothing listens on the discard port
	return u.String(), nil
}

// Slow answers well, but late.
func Slow(delay time.Duration) Fault {
	return func(good http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(delay):
				good.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})
	}
}

// HTML answers 200 with a page, as a captive portal does.
func HTML(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!DOCTYPE html><title>Sign in to the network</title>\n")
	})
}

// Unavailable answers 503 to the first n requests, and well from then on.
func Unavailable(n int) Fault { return Failing(http.StatusServiceUnavailable, n) }

// Failing answers with a status to the first n requests, and well from then on.
func Failing(status, n int) Fault {
	return func(good http.Handler) http.Handler {
		var seen atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if seen.Add(1) <= int64(n) {
				http.Error(w, http.StatusText(status), status)
				return
			}
			good.ServeHTTP(w, r)
		})
	}
}

// Cut hangs up in the middle of each good answer.
func Cut(good http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		good.ServeHTTP(whole, r)
		body := whole.Body.Bytes()
		maps.Copy(w.Header(), whole.Header())
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(whole.Code)
		w.Write(body[:len(body)/2]) // less than announced, so the server closes the connection
	})
}
