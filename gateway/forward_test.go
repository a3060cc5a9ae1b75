package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// TestStream: each part of an answer arrives before the next is sent, whatever its media type, and its trailers pass.
func TestStream(t *testing.T) {
	w := newWorld(t, nil)
	next := make(chan bool)
	w.handler = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Trailer", "X-Usage, Airun-Journal")
		for range 3 {
			io.WriteString(rw, "part\n")
			_ = http.NewResponseController(rw).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
			}
		}
		rw.Header().Set("X-Usage", "7")
		rw.Header().Set("Airun-Journal", "fake")
		rw.Header().Set(http.TrailerPrefix+"Airun-Identity", "fake")
		rw.Header().Set(http.TrailerPrefix+"X-Late", "1")
	}
	res, err := http.DefaultClient.Do(w.request("/v1/chat/completions", chat))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for range 3 {
		if line, err := lines.ReadString('\n'); line != "part\n" || err != nil {
			t.Fatal(line, err)
		}
		next <- true
	}
	if rest, err := io.ReadAll(lines); len(rest) != 0 || err != nil {
		t.Fatal(rest, err)
	}
	if res.Trailer.Get("X-Usage") != "7" || res.Trailer.Get("X-Late") != "1" || res.Trailer.Get(headerIdentity) != "" || res.Trailer.Get(headerJournal) != "" {
		t.Errorf("trailers %v", res.Trailer)
	}
}

// TestAnswerHeaders: what an upstream says in the gateway's names does not pass, in informational answers either.
func TestAnswerHeaders(t *testing.T) {
	w := newWorld(t, nil)
	w.handler = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Airun-Identity", "fake")
		rw.Header().Set("Link", "<x>")
		rw.WriteHeader(http.StatusEarlyHints)
		rw.Header().Set("Airun-Other", "fake")
		rw.Header().Set("Connection", "Airun-Identity, Airun-Journal")
		io.WriteString(rw, "<html>")
	}
	r := w.request("/v1/chat/completions", chat)
	var hints []textproto.MIMEHeader
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		hints = append(hints, h)
		return nil
	}}))
	g := w.do(r)
	if id := w.journal.all()[0].Identity.String(); g.body != "<html>" || g.header.Get(headerIdentity) != id || g.header.Get("Airun-Other") != "" || g.header.Get(headerJournal) == "" {
		t.Errorf("%v", g)
	}
	if len(hints) != 1 || hints[0].Get("Link") != "<x>" || hints[0].Get("Airun-Identity") != "" {
		t.Errorf("1xx: %v", hints)
	}
}

// TestRedirect: a redirect of an endpoint that computes does not reach the client, which would follow it past the gateway.
func TestRedirect(t *testing.T) {
	w := newWorld(t, nil)
	w.handler = func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "https://elsewhere.example/", http.StatusTemporaryRedirect)
	}
	g := w.post("/v1/chat/completions", chat)
	if g.status != 502 || g.header.Get("Airun-Refusal") != upstreamRedirected.code || g.header.Get("Location") != "" || g.header.Get(headerIdentity) == "" || g.header.Get(headerJournal) == "" {
		t.Errorf("%v", g)
	}
	r, _ := http.NewRequest("GET", w.url+"/v1/models", nil)
	if g := w.do(r); g.status != 307 {
		t.Errorf("%v", g)
	}
}

// TestUpstreamWithoutStatus: a status below 100 is refused, and panics nothing.
func TestUpstreamWithoutStatus(t *testing.T) {
	w := newWorld(t, nil)
	w.handler = func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(rw).Hijack()
		if err == nil {
			_, err = io.WriteString(conn, "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n")
			err = errors.Join(err, conn.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}
	g := w.post("/v1/chat/completions", chat)
	if g.status != 502 || g.header.Get("Airun-Refusal") != upstreamFailed.code || !strings.Contains(string(g.body), "it may have executed the request") {
		t.Errorf("%v", g)
	}
}

// TestUpstreamUnreached: what was not sent was not executed, and the message does not say that it may have been.
func TestUpstreamUnreached(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, url := range []string{"http://127.0.0.1:1", strings.Replace(plain.URL, "http:", "https:", 1)} {
		w := newWorld(t, func(o *Options) { o.Config.Upstreams[0].URL = url })
		g := w.post("/v1/chat/completions", chat)
		if g.status != 502 || g.header.Get("Airun-Refusal") != upstreamFailed.code || !strings.Contains(string(g.body), "cannot be reached") {
			t.Errorf("%s: %v", url, g)
		}
	}
}

// TestUpstreamDies: before its answer it is a 502, in its midst a broken connection: never an answer that looks whole.
func TestUpstreamDies(t *testing.T) {
	w := newWorld(t, nil)
	w.handler = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	g := w.post("/v1/chat/completions", chat)
	if g.status != 502 || g.header.Get("Airun-Refusal") != upstreamFailed.code || g.header.Get("X-Should-Retry") != "" || g.header.Get(headerIdentity) == "" {
		t.Errorf("%v", g)
	}
	if n := len(w.requests()); n != 1 {
		t.Errorf("the upstream was asked %d times", n)
	}
	w.handler = func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, "part")
		_ = http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	}
	res, err := http.DefaultClient.Do(w.request("/v1/chat/completions", chat, "Idempotency-Key: k"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("%q looks whole", body)
	}
	if n := len(w.requests()); n != 2 {
		t.Errorf("the upstream was asked %d times, want once a call", n)
	}
	if log := w.log(); strings.Contains(log, "127.0.0.1") {
		t.Errorf("the log has an address: %s", log)
	}
}

// TestClientLeaves: the upstream is told, and a call that has no line yet is not forwarded.
func TestClientLeaves(t *testing.T) {
	w := newWorld(t, nil)
	told := make(chan bool, 1)
	w.handler = func(rw http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(rw).Flush()
		select {
		case <-r.Context().Done():
			told <- true
		case <-time.After(20 * time.Second):
			told <- false
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	res, err := http.DefaultClient.Do(w.request("/v1/chat/completions", chat).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if !<-told {
		t.Error("the upstream was not told")
	}
	res.Body.Close()

	ctx, leave = context.WithCancel(t.Context())
	w.journal.hold = func(call context.Context) {
		leave()
		<-call.Done() // the server has seen it
	}
	if _, err = http.DefaultClient.Do(w.request("/v1/chat/completions", chat).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.waitFor(func() bool { return strings.Contains(w.log(), "client_left") })
	if n := len(w.requests()); n != 1 {
		t.Errorf("%d requests: %s", n, w.log())
	}
}

// lateTransport sends a request, and looks for more of its body when the answer is on its way, as net/http's transport does where
// it is slower than the upstream.
type lateTransport struct{ looked chan error }

func (l *lateTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.CopyN(io.Discard, r.Body, r.ContentLength); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: -1, Request: r, Body: &lateAnswer{of: l, request: r.Body}}, nil
}

type lateAnswer struct {
	of      *lateTransport
	request io.ReadCloser
	begun   bool
}

func (a *lateAnswer) Read(p []byte) (int, error) {
	if !a.begun {
		a.begun = true
		return copy(p, "part"), nil
	}
	_, err := a.request.Read(make([]byte, 1))
	a.of.looked <- err
	return 0, io.EOF
}

func (a *lateAnswer) Close() error { return nil }

// TestEndOfBody: net/http closes the body of a request when the answer begins. A transport that looks for its end after that finds
// it: an error would have it close the connection, and the client would get a part of the answer.
func TestEndOfBody(t *testing.T) {
	for path, body := range map[string]string{"/anthropic/v1/messages/count_tokens": `{"model": "m", "messages": []}`, "/v1/chat/completions": chat} {
		late := &lateTransport{make(chan error, 1)}
		w := newWorld(t, nil)
		w.gateway.transport = late
		if a := w.post(path, body); a.status != 200 || a.body != "part" {
			t.Errorf("%s: %v", path, a)
		}
		if err := <-late.looked; !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want the end", path, err)
		}
	}
}
