package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// silentServer accepts connections, takes so many bytes of each, and never answers.
func silentServer(t *testing.T, bytes int64) *url.URL {
	t.Helper()
	return acceptor(t, func(c net.Conn) {
		t.Cleanup(func() { c.Close() })
		_, _ = io.CopyN(io.Discard, c, bytes)
	})
}

// acceptor is a server that gives each connection to a goroutine of its own.
func acceptor(t *testing.T, serve func(net.Conn)) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// TestSilent: an upstream that takes a request, or not even all of it, and never answers, is a 504 that is not sent again. The
// line of the call stays.
func TestSilent(t *testing.T) {
	w := newWorld(t, nil)
	if d := w.gateway.upstreams[0].patience; d != 30*time.Minute {
		t.Errorf("by default %s", d)
	}
	long := strings.Replace(chat, "hi", strings.Repeat("x", 14<<20), 1) // more than sockets hold
	for _, c := range []struct {
		path, body string
		takes      int64
	}{{"/v1/chat/completions", chat, 1 << 30}, {"/v1/chat/completions", long, 1}, {"/v1/responses/input_tokens", chat, 1 << 30}} {
		for _, up := range w.gateway.upstreams {
			up.url, up.patience = silentServer(t, c.takes), 50*time.Millisecond
		}
		g := w.post(c.path, c.body)
		if g.status != 504 || g.header.Get("Airun-Refusal") != upstreamSilent.code || g.header.Get("X-Should-Retry") != "false" || g.header.Get("Retry-After") != "" {
			t.Errorf("%s: %v", c.path, g)
		}
	}
	if n := len(w.journal.all()); n != 2 {
		t.Errorf("%d lines, want those of the two calls that compute", n)
	}
	if used := w.gateway.budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are charged after all calls", used)
	}
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// lateBody is an answer's that takes its time.
type lateBody time.Duration

func (b lateBody) Read([]byte) (int, error) {
	time.Sleep(time.Duration(b))
	return 0, io.EOF
}

func (b lateBody) Close() error { return nil }

// TestSilentClock: an upstream has 30 minutes for the headers of its answer. Once they came, the stream may take any time.
func TestSilentClock(t *testing.T) {
	w := newWorld(t, nil)
	call := func(late time.Duration, answers bool) (status int, took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			w.gateway.transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if !answers {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				time.Sleep(late)
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: lateBody(48 * time.Hour), ContentLength: -1, Request: r}, r.Context().Err()
			})
			r := httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(chat))
			r.Host = "127.0.0.1:1"
			r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}))
			begun, answer := time.Now(), httptest.NewRecorder()
			w.gateway.ServeHTTP(answer, r)
			status, took = answer.Code, time.Since(begun)
		})
		return status, took
	}
	if status, took := call(0, false); status != 504 || took != 30*time.Minute {
		t.Errorf("silent: %d after %s", status, took)
	}
	if status, took := call(30*time.Minute-1, true); status != 200 || took != 48*time.Hour+30*time.Minute-1 {
		t.Errorf("late: %d after %s", status, took)
	}
}

// TestPatience: it ends once, each part of a body begins it anew, and it does not begin again after its end.
func TestPatience(t *testing.T) {
	fired := make(chan bool, 1)
	p := newPatience(time.Hour, func() { fired <- true })
	p.most = time.Millisecond
	body := &counted{io.NopCloser(strings.NewReader("x")), p}
	if _, err := body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	<-fired // the part that was read has begun it anew, with the shorter time
	if p.end() {
		t.Error("it ends twice")
	}
	p.again()
	if p.timer.Stop() {
		t.Error("it begins again after its end")
	}
}
