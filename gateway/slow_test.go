package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dial sends the beginning of a request; HOST stands for the gateway's.
func (w *world) dial(text string) net.Conn {
	w.t.Helper()
	host := strings.TrimPrefix(w.url, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, strings.ReplaceAll(strings.ReplaceAll(text, "HOST", host), "\n", "\r\n")); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// TestAnnounced: a body that is announced and does not arrive takes no memory from other calls.
func TestAnnounced(t *testing.T) {
	w := newWorld(t, nil)
	for range 8 {
		w.dial(fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\nHost: HOST\nContent-Length: %d\n\n{", 32<<20))
	}
	w.waitFor(func() bool { return w.gateway.budget.used.Load() >= 8*firstShare })
	if used := w.gateway.budget.used.Load(); used < 8*firstShare || used > 9*firstShare {
		t.Errorf("%d bytes are charged for 8 bodies that do not arrive", used)
	}
	if g := w.post("/v1/chat/completions", chat); g.status != 200 {
		t.Error(g)
	}
	long := strings.Replace(chat, "hi", strings.Repeat("x", 1<<20), 1)
	if g := w.post("/v1/chat/completions", long); g.status != 200 || string(w.requests()[1].body) != long {
		t.Error("a long body", g)
	}
}

// TestPause: a body that stops arriving is refused, whether it is read first or forwarded while it arrives.
func TestPause(t *testing.T) {
	w := newWorld(t, nil)
	w.gateway.pause = 100 * time.Millisecond
	for _, head := range []string{
		"POST /v1/chat/completions HTTP/1.1\nHost: HOST\nContent-Length: 100\n\n{",
		"POST /v1/files HTTP/1.1\nHost: HOST\nContent-Type: multipart/form-data; boundary=x\nTransfer-Encoding: chunked\n\n1\n{\n",
		"POST /v1/responses/input_tokens HTTP/1.1\nHost: HOST\nContent-Length: 100\n\n{",
	} {
		res, err := http.ReadResponse(bufio.NewReader(w.dial(head)), nil)
		if err != nil || res.StatusCode != 400 || res.Header.Get("Airun-Refusal") != bodyInvalid.code {
			t.Errorf("%.40q: %v %v", head, res, err)
		}
	}
}

// TestSlow: a body that arrives in parts may take longer than the pause between them, and its answer, too.
func TestSlow(t *testing.T) {
	w := newWorld(t, nil)
	w.gateway.pause = 1500 * time.Millisecond
	w.handler = func(http.ResponseWriter, *http.Request) { time.Sleep(1600 * time.Millisecond) }
	answers := make(chan string, 2)
	for _, path := range []string{"/v1/chat/completions", "/v1/responses/input_tokens"} {
		c := w.dial(fmt.Sprintf("POST %s HTTP/1.1\nHost: HOST\nContent-Length: %d\n\n", path, len(chat)))
		go func() {
			for i := 0; i < len(chat); i += 20 {
				time.Sleep(400 * time.Millisecond)
				io.WriteString(c, chat[i:min(i+20, len(chat))])
			}
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- res.Status
		}()
	}
	for range 2 {
		if a := <-answers; a != "200 OK" {
			t.Error(a)
		}
	}
}

// TestUnknownKeepsNoConnection: a client that has not proved a name holds no connection.
func TestUnknownKeepsNoConnection(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Clients = []Client{{Name: "ci", TokenSHA256: digest([]byte("token"))}} })
	for request, closes := range map[string]bool{
		"GET /v1/models HTTP/1.1\nHost: HOST":                                         true,
		"GET /v1/models HTTP/1.1\nHost: evil.example":                                 true,
		"GET /unknown HTTP/1.1\nHost: HOST":                                           true,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAirun-Key: token\nX-HTTP-Method: PATCH": false,
	} {
		c := w.dial(request + "\n\n")
		answers := bufio.NewReader(c)
		res, err := http.ReadResponse(answers, nil)
		if err != nil || res.StatusCode < 400 {
			t.Fatal(res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if !closes {
			_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		}
		_, err = answers.ReadByte()
		if res.Close != closes || closes != errors.Is(err, io.EOF) {
			t.Errorf("%q: Close %v, then %v", request, res.Close, err)
		}
	}
}

// TestHalfClosed: a client that closes its side for writing, which ends the call, does not read that it was forwarded.
func TestHalfClosed(t *testing.T) {
	w := newWorld(t, nil)
	w.journal.hold = func(call context.Context) { <-call.Done() }
	c := w.dial(fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\nHost: HOST\nContent-Length: %d\n\n%s", len(chat), chat))
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || len(w.requests()) != 0 {
		t.Fatalf("%v, %d requests", err, len(w.requests()))
	}
	// The request ends when its client does: before or after it is signed.
	if code := res.Header.Get("Airun-Refusal"); code != journalFailed.code && code != signingFailed.code {
		t.Errorf("refused as %q", code)
	}
}
