package gateway

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
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
