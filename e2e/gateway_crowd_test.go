package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// many is a number of the short form of a test, or of the whole one.
func many[N int | time.Duration](short, whole N) N {
	if os.Getenv("E2E_LONG") != "" {
		return whole
	}
	return short
}

func (g *gatewayProcess) address() string { return strings.TrimPrefix(g.url, "http://") }

// resident is how much memory the process has, in MiB.
func (g *gatewayProcess) resident() int {
	g.d.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.pid))
	if err != nil {
		g.d.t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(data, []byte("VmRSS:"))
	kB, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	if err != nil {
		g.d.t.Fatal(err)
	}
	return kB >> 10
}

func (g *gatewayProcess) post(body string) error {
	r, err := http.Post(g.url+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	said, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", r.StatusCode, said)
	}
	return err
}

// The memory of a gateway does not grow with the calls that it has forwarded.
func TestGatewayMemory(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	up := quietUpstream(t)
	g := d.gateway("journal", "--upstream", up, "--provider", "openai")
	pad := strings.Repeat("ping ", 400)
	var failed atomic.Pointer[error]
	round := func(from, to int) {
		var callers sync.WaitGroup
		var next atomic.Int64
		next.Store(int64(from))
		for range 8 {
			callers.Go(func() {
				for n := next.Add(1); n <= int64(to); n = next.Add(1) {
					if err := g.post(fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"%s%d"}]}`, pad, n)); err != nil {
						failed.Store(&err)
						return
					}
				}
			})
		}
		callers.Wait()
	}
	all := many(2_000, 100_000)
	round(0, all/2)
	half := g.resident()
	round(all/2, all)
	whole := g.resident()
	t.Logf("%d MiB after %d calls, %d MiB after %d", half, all/2, whole, all)
	if failed.Load() != nil {
		t.Error(*failed.Load())
	}
	if whole > half+48 || whole > 320 {
		t.Errorf("%d MiB after %d calls, %d MiB after %d: want no growth", half, all/2, whole, all)
	}
}

// quietUpstream answers and keeps nothing.
func quietUpstream(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answerChat(w, false)
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// Connections that say nothing, and those that say a byte at a time, do not keep others from being served, and are closed.
func TestGatewayIdleConnections(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	g := d.gateway("journal", "--upstream", quietUpstream(t), "--provider", "openai")
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for range many(500, 8_000) {
		c, err := net.Dial("tcp", g.address())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	slow := open[0]
	closed := make(chan error, 1)
	go func() { // a byte of a header each 100 ms
		fmt.Fprintf(slow, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nX-Slow: ", g.address())
		var err error
		for err == nil {
			time.Sleep(100 * time.Millisecond)
			_, err = slow.Write([]byte("x"))
		}
		closed <- err
	}()
	if err := g.post(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`); err != nil {
		t.Errorf("beside %d idle connections: %v", len(open), err)
	}
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Error("a connection that sends a byte at a time is served for ever")
	}
	open[1].SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(open[1]); err != nil {
		t.Errorf("a connection that says nothing is not closed: %v", err)
	}
}
