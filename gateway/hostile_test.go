package gateway

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"
)

// send writes text on a connection of its own, closes its side, and reads whatever comes.
func (w *world) send(text string) {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(c, text) // it may be refused in its midst
	answers := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.Close {
			return
		}
	}
}

// TestHostileRequests: whatever bytes a client sends, each request that an upstream sees of an endpoint that computes has its
// line, for the very body, and is under an identity. The requests are made of parts that two servers can read in two ways.
func TestHostileRequests(t *testing.T) {
	w := newWorld(t, nil)
	w.gateway.pause = 50 * time.Millisecond // for bodies that do not arrive
	host := strings.TrimPrefix(w.url, "http://")
	inner := fmt.Sprintf("POST /v1/completions HTTP/1.1\r\nHost: %s\r\nContent-Length: 2\r\n\r\n{}", host)
	targets := []string{"/v1/chat/completions", "/v1/responses/input_tokens", "/v1/models", "http://" + host + "/v1/chat/completions",
		"/v1/chat%2Fcompletions", "/v1/files/../chat/completions", "/v1/models/../completions", "/v1/models;/../completions", "//v1/completions", "/v1/files?purpose=/../completions", "*"}
	headers := []string{"TE: trailers", "Transfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked, identity", "Transfer-encoding: identity",
		"Transfer-Encoding : chunked", "Content-Length: 0", "Content-Length: +5", "Content-Length: 5, 5", "Content-Length : 5", "Content-Length: 0x10", "Content_Length: 0", "Connection: keep-alive, Content-Length",
		"Connection: close", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Expect: 100-continue", "Trailer: X-A", "X-Fold: a\r\n b", "X-A: b\rTransfer-Encoding: chunked",
		"X-A: b\nContent-Length: 0", "Host: evil.example", "X-HTTP-Method-Override: GET", "Content-Encoding: gzip", "X-Null: \x00", "Airun-Identity: airun:1:sha256:00", "Airun_Key: x"}
	bodies := []string{chat, chat + inner, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(chat), chat), fmt.Sprintf("%x;ext=%s\r\n%s\r\n0\r\n\r\n", len(chat), strings.Repeat("x", 50), chat),
		fmt.Sprintf("%x\n%s\n0\n\n", len(chat), chat), fmt.Sprintf("%x;a=\"\r\n\"\r\n%s\r\n0\r\n\r\n", len(chat), chat), "0\r\n\r\n" + inner, fmt.Sprintf("%x\r\n%s\r\n0\r\nX-A: 1\r\n\r\n", len(chat), chat), "", inner}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(l []string) string { // half the time the first, which is valid
		if r.IntN(2) == 0 {
			return l[0]
		}
		return l[r.IntN(len(l))]
	}
	for range 500 {
		body := pick(bodies)
		text := pick([]string{"POST", "GET", "DELETE", "PUT", "CONNECT"}) + " " + pick(targets) + pick([]string{" HTTP/1.1", " HTTP/1.0", " HTTP/2.0", ""}) + "\r\nHost: " + host + "\r\n"
		for range r.IntN(3) {
			text += pick(headers) + "\r\n"
		}
		if r.IntN(4) > 0 {
			text += fmt.Sprintf("Content-Length: %d\r\n", pickLength(r, body))
		}
		w.send(text + "Connection: close\r\n\r\n" + body)
	}
	lines := map[string]int{}
	for _, e := range w.journal.all() {
		lines[e.Body.SHA256]++
	}
	computed := 0
	for _, s := range w.requests() {
		switch path, _, _ := strings.Cut(s.target, "?"); {
		case s.method == "POST" && path == "/v1/chat/completions":
			computed++
			if sum := digest(s.body); lines[sum] == 0 {
				t.Errorf("the upstream got a body without a line: %q", s.body)
			} else {
				lines[sum]--
			}
		case s.method == "GET" && path == "/v1/chat/completions": // the list of those that are stored
		case path == "/v1/models" || path == "/v1/files" || path == "/v1/responses/input_tokens":
		default:
			t.Errorf("the upstream got %s %s", s.method, s.target)
		}
		for name := range s.header {
			if isOurs(name) {
				t.Errorf("the upstream got the header %s", name)
			}
		}
	}
	if computed < 5 {
		t.Errorf("%d calls reached the upstream: this test sends too little that is valid", computed)
	}
}

// pickLength is a Content-Length: mostly that of the body.
func pickLength(r *rand.Rand, body string) int {
	if r.IntN(4) == 0 {
		return r.IntN(len(body) + 1)
	}
	return len(body)
}

// answering is a server that answers each connection with the same bytes, whatever it is asked, and closes it.
func answering(t *testing.T, text string) *url.URL {
	t.Helper()
	return acceptor(t, func(c net.Conn) {
		defer c.Close()
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(c, strings.ReplaceAll(text, "\n", "\r\n"))
		}
	})
}

// TestHostileAnswers: an upstream cannot speak in the gateway's names, in whatever place and spelling, nor make an answer of two
// readings, nor switch protocols.
func TestHostileAnswers(t *testing.T) {
	w := newWorld(t, nil)
	const ok = "HTTP/1.1 200 OK\n"
	for name, c := range map[string]struct {
		text   string
		status int // 0 is a connection that breaks
	}{
		"names":                {ok + "airun-identity: fake\nAIRUN_JOURNAL: fake\nAirun-Refusal: fake\nTrailer:Airun-Journal: fake\nContent-Length: 0\n\n", 200},
		"hop by hop":           {ok + "Connection: Airun-Identity, Airun-Journal, close\nContent-Length: 0\n\n", 200},
		"early":                {"HTTP/1.1 103 Early Hints\nairun_identity: fake\n\n" + ok + "Content-Length: 0\n\n", 200},
		"processing":           {strings.Repeat("HTTP/1.1 102 Processing\nAirun-Journal: fake\n\n", 100) + ok + "Content-Length: 0\n\n", 200},
		"a flood of 1xx":       {strings.Repeat("HTTP/1.1 102 Processing\nX: "+strings.Repeat("x", 1000)+"\n\n", 2000) + ok + "Content-Length: 0\n\n", 200},
		"trailers":             {ok + "Transfer-Encoding: chunked\nTrailer: airun-identity, AIRUN_JOURNAL\n\n1\nx\n0\nairun-identity: fake\nAIRUN_JOURNAL: fake\nAirun-Late: fake\n\n", 200},
		"switching":            {"HTTP/1.1 101 Switching Protocols\n\nHTTP/1.1 200 OK\n\n", 502},
		"switching to h2c":     {"HTTP/1.1 101 Switching Protocols\nUpgrade: h2c\nConnection: Upgrade\n\n", 502},
		"two lengths":          {ok + "Content-Length: 1\nContent-Length: 5\n\nxxxxx", 502},
		"a folded length":      {ok + "Content-Length: 1,5\n\nxxxxx", 502},
		"another coding":       {ok + "Transfer-Encoding: xchunked\nContent-Length: 1\n\nx", 502},
		"length and chunks":    {ok + "Content-Length: 3\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n", 200},
		"too short":            {ok + "Content-Length: 5\n\nx", 0},
		"chunks that break":    {ok + "Transfer-Encoding: chunked\n\n5\nx", 0},
		"chunks of a bad size": {ok + "Transfer-Encoding: chunked\n\n-1\nx\n0\n\n", 0},
		"not HTTP":             {"220 mail.example ESMTP\n", 502},
		"another version":      {"HTTP/9 200 OK\n\n", 502},
		"large headers":        {ok + "X: " + strings.Repeat("x", 2<<20) + "\n\n", 502},
		"a redirect":           {"HTTP/1.1 308 Permanent Redirect\nLocation: http://evil.example/\nContent-Length: 0\n\n", 502},
		"no content":           {"HTTP/1.1 204 No Content\nAirun-Identity: fake\nContent-Length: 5\n\nxxxxx", 204},
	} {
		for _, up := range w.gateway.upstreams {
			up.url = answering(t, c.text)
		}
		r := w.request("/v1/chat/completions", chat)
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			for got := range h {
				if isOurs(got) {
					t.Errorf("%s: an informational answer has %s", name, got)
				}
			}
			return nil
		}}))
		res, err := (&http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 8 << 20}).RoundTrip(r)
		if err != nil && c.status == 0 {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if broken := err != nil; broken != (c.status == 0) || c.status != 0 && res.StatusCode != c.status {
			t.Errorf("%s: %s, %v, want %d", name, res.Status, err, c.status)
		}
		line := w.journal.all()[len(w.journal.all())-1]
		for _, h := range []http.Header{res.Header, res.Trailer} {
			for got, values := range h {
				if isOurs(got) && (got != headerIdentity || values[0] != line.Identity.String()) && (got != headerJournal || values[0] == "fake") && (got != "Airun-Refusal" || values[0] == "fake") {
					t.Errorf("%s: the answer has %s: %q", name, got, values)
				}
			}
		}
		if res.Header.Get(headerIdentity) == "" || res.Header.Get("Location") != "" {
			t.Errorf("%s: %v", name, res.Header)
		}
	}
}
