package gateway

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/runattest/runattest/internal/limits"
)

// raw sends text as it is and reads the answer's status and refusal.
func (w *world) raw(text string) (status int, refusal string) {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	host := strings.TrimPrefix(w.url, "http://")
	if _, err := io.WriteString(c, strings.ReplaceAll(strings.ReplaceAll(text, "HOST", host), "\n", "\r\n")); err != nil {
		w.t.Fatal(err)
	}
	answers := bufio.NewReader(c)
	res, err := http.ReadResponse(answers, nil)
	if err == nil && res.StatusCode == http.StatusContinue { // the answer follows
		w.continued++
		res, err = http.ReadResponse(answers, nil)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode, res.Header.Get("Airun-Refusal")
}

// TestPaths: a path that two servers can read as two is refused, and so is every one that is not on the list.
func TestPaths(t *testing.T) {
	w := newWorld(t, nil)
	for target, want := range map[string]kind{
		"/v1/%63hat/completions":                                  pathRefused,
		"/v1/chat%2fcompletions":                                  pathRefused,
		"/v1//chat/completions":                                   pathRefused,
		"//v1/chat/completions":                                   pathRefused,
		"/v1/chat/completions/":                                   pathRefused,
		"/v1/x/../chat/completions":                               pathRefused,
		"/v1/./chat/completions":                                  pathRefused,
		"/v1/chat/completions;a=b":                                pathRefused,
		"/v1/chat\\completions":                                   pathRefused,
		"/v1/chat/completions#x":                                  pathRefused,
		"/v1/chat/complet\x7fions":                                pathRefused,
		"/v1/chat/complétions":                                    pathRefused,
		"/V1/chat/completions":                                    endpointUnknown,
		"/chat/completions":                                       endpointUnknown,
		"/v1/v1/chat/completions":                                 endpointUnknown,
		"/v1/chat/completions/x/y":                                endpointUnknown,
		"/anthropicx/v1/messages":                                 endpointUnknown,
		"/anthropic/v1/messages?beta=1":                           queryRefused,
		"/anthropic/v1/messages?beta=true&beta=true":              queryRefused,
		"/anthropic/v1/messages?Beta=true":                        queryRefused,
		"/anthropic/v1/messages?b%65ta=true":                      queryRefused,
		"/v1/chat/completions?x=1":                                queryRefused,
		"/v1/chat/completions?&":                                  queryRefused,
		"/google/v1beta/models/m:generateContent?$httpMethod=GET": queryRefused,
		"/google/v1beta/models/:generateContent":                  endpointUnknown,
		"/google/v1beta/models/m:generateContent:countTokens":     endpointUnknown,
		"/google/v1beta/models/m:predict:generateContent":         endpointUnknown,
		"/google/v1beta/models/m:embedContent":                    endpointUndeclared,
		"http://HOST/v1/chat/completions":                         pathRefused,
		"*":                                                       pathRefused,
	} {
		status, refusal := w.raw("POST " + target + " HTTP/1.1\nHost: HOST\nContent-Type: application/json\nContent-Length: " + fmt.Sprint(len(chat)) + "\n\n" + chat)
		if status != want.status && status != 400 || refusal != want.code && !(status == 400 && refusal == "") { // net/http refuses some by itself
			t.Errorf("%s: %d %q, want %d %q", target, status, refusal, want.status, want.code)
		}
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "post"} {
		if status, refusal := w.raw(method + " /v1/messages HTTP/1.1\nHost: HOST\n\n"); status != 404 && status != 400 {
			t.Errorf("%s: %d %q", method, status, refusal)
		}
	}
	if len(w.requests())+len(w.journal.all()) != 0 {
		t.Errorf("the upstream saw %v", w.requests())
	}
	if g := w.post("/v1/v1/chat/completions", chat); !strings.Contains(g.body, "OPENAI_BASE_URL to "+w.url+"/v1") {
		t.Errorf("no hint: %s", g.body)
	}
}

// TestHeaders: headers that are the gateway's, or change the request behind what is signed, are refused.
func TestHeaders(t *testing.T) {
	w := newWorld(t, nil)
	for header, want := range map[string]kind{
		"Airun-Identity: airun:1:sha256:00":                              headerRefused,
		"Airun-Journal: x":                                               headerRefused,
		"airun-anything: x":                                              headerRefused,
		"Airun_Parent: x":                                                headerRefused,
		"AIRUN_KEY: x":                                                   headerRefused,
		"X-HTTP-Method-Override: GET":                                    headerRefused,
		"X-Http-Method: GET":                                             headerRefused,
		"X_HTTP_Method_Override: GET":                                    headerRefused,
		"X-Original-URL: /v1/completions":                                headerRefused,
		"X-Rewrite-Url: /v1/completions":                                 headerRefused,
		"X-Method-Override: GET":                                         headerRefused,
		"anthropic_beta: x":                                              headerRefused,
		"Content_Type: text/plain":                                       headerRefused,
		"Connection: close, Anthropic-Version":                           headerRefused,
		"Connection: Airun-Identity":                                     headerRefused,
		"Airun-Annotation: x":                                            headerRefused,
		"Airun-Annotation: =x":                                           headerRefused,
		"Airun-Annotation: a=1\nAirun-Annotation: a=2":                   headerRefused,
		"Airun-Key: x":                                                   clientUnknown,
		"Upgrade: websocket\nConnection: upgrade":                        upgradeRefused,
		"Origin: https://evil.example":                                   browserRefused,
		"Origin: null":                                                   browserRefused,
		"Content-Type: text/plain":                                       mediaTypeRefused,
		"Content-Type: application/json; charset=utf-16":                 mediaTypeRefused,
		"Content-Type: application/json; charset*=foo''utf-7":            mediaTypeRefused,
		"Content-Type: application/json; charset*0=utf-8":                mediaTypeRefused,
		"Content-Type: application/x-www-form-urlencoded":                mediaTypeRefused,
		"Content-Type: application/json\nContent-Type: application/json": mediaTypeRefused,
		"Content-Encoding: br":                                           codingRefused,
		"Content-Encoding: gzip, gzip, gzip, gzip, gzip":                 codingRefused,
		"Content-Encoding: gzip":                                         bodyInvalid,
		"Content-Encoding: zstd":                                         bodyInvalid,
		"OpenAI-Beta: a\nOpenAI-Beta: b":                                 captureRefused,
		strings.Repeat("x", 300) + ": 1":                                 headerRefused,
	} {
		status, refusal := w.raw("POST /v1/chat/completions HTTP/1.1\nHost: HOST\nContent-Length: " + fmt.Sprint(len(chat)) + "\n" + header + "\n\n" + chat)
		if status != want.status || refusal != want.code {
			t.Errorf("%s: %d %q, want %d %q", header, status, refusal, want.status, want.code)
		}
	}
	trailers := "POST /v1/chat/completions HTTP/1.1\nHost: HOST\nTransfer-Encoding: chunked\nTrailer: X-A\n\n1\n{\n0\nX-A: 1\n\n"
	if status, refusal := w.raw(trailers); refusal != trailerRefused.code {
		t.Errorf("trailers: %d %q", status, refusal)
	}
	for _, host := range []string{"", "evil.example", "127.0.0.1", "127.0.0.1.evil.example", "HOST.evil.example", "localhost"} {
		status, refusal := w.raw("POST /v1/chat/completions HTTP/1.1\nHost: " + host + "\nContent-Length: " + fmt.Sprint(len(chat)) + "\n\n" + chat)
		if refusal != hostRefused.code && status != 400 {
			t.Errorf("Host %q: %d %q", host, status, refusal)
		}
	}
	if len(w.requests())+len(w.journal.all()) != 0 {
		t.Errorf("the upstream saw %v", w.requests())
	}
	port := w.url[strings.LastIndex(w.url, ":"):]
	if status, _ := w.raw("POST /v1/chat/completions HTTP/1.1\nHost: LocalHost" + port + "\nContent-Length: " + fmt.Sprint(len(chat)) + "\n\n" + chat); status != 200 {
		t.Errorf("localhost: %d", status)
	}
	if status, _ := w.raw("POST /v1/chat/completions HTTP/1.1\nHost: HOST\nX-Anything: 1\nX_Any: 1\nTE: trailers\nConnection: TE\nContent-Length: " + fmt.Sprint(len(chat)) + "\n\n" + chat); status != 200 {
		t.Errorf("other headers: %d", status)
	}
}

// TestHeadersClosed: with a closed list a header that nothing names is refused.
func TestHeadersClosed(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Headers = HeadersClosed })
	if g := w.post("/v1/chat/completions", chat, "X-Stainless-Lang: python", "Authorization: Bearer x", "Airun-Annotation: a=1"); g.status != 200 {
		t.Fatal(g)
	}
	if g := w.post("/v1/chat/completions", chat, "X-Other: 1"); g.status != 400 || g.header.Get("Airun-Refusal") != headerRefused.code {
		t.Error(g)
	}
}

// TestBodies: a body that two readers can read as two is refused.
func TestBodies(t *testing.T) {
	w := newWorld(t, nil)
	for _, body := range []string{
		"", "{", "null", "[]", chat + "x", "\ufeff" + chat, strings.Replace(chat, `"seed": 7`, `"seed": 7, "seed": 8`, 1), strings.Replace(chat, `"seed"`, `"SEED": 1, "seed"`, 1),
		strings.Replace(chat, "hi", "\xff", 1), strings.Replace(chat, "7", "007", 1), strings.Replace(chat, `"hi"`, `"hi", "content": "ho"`, 1),
	} {
		w.refused(w.post("/v1/chat/completions", body), captureRefused)
	}
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.Bytes()
}

func zstandard(t *testing.T, text string) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll([]byte(text), nil)
}

// TestCodings: a body with content codings is declared by its content, and forwarded as it is sent.
func TestCodings(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Limits.Decoded = 1 << 20 })
	plain := w.post("/v1/chat/completions", chat).header.Get(headerIdentity)
	twice := gzipped(string(zstandard(t, chat)))
	for coding, body := range map[string][]byte{"gzip": gzipped(chat), "zstd": zstandard(t, chat), "identity": []byte(chat), "ZSTD, x-gzip": twice} {
		n := len(w.requests())
		g := w.post("/v1/chat/completions", string(body), "Content-Encoding: "+coding)
		if g.status != 200 || g.header.Get(headerIdentity) != plain {
			t.Errorf("%s: %v", coding, g)
			continue
		}
		r, e := w.requests()[n], w.journal.all()[n]
		if !bytes.Equal(r.body, body) || r.header.Get("Content-Encoding") != coding || e.Body.SHA256 != digest(body) || (e.Body.Decoded == digest([]byte(chat))) == (coding == "identity") {
			t.Errorf("%s: forwarded %q, entry %+v", coding, r.body, e.Body)
		}
	}
	checked := zstandard(t, chat)
	for name, bad := range map[string]struct {
		coding string
		body   []byte
	}{
		"two members":      {"gzip", append(gzipped(chat), gzipped("x")...)},
		"data behind":      {"gzip", append(gzipped(chat), 0)},
		"cut":              {"gzip", gzipped(chat)[:20]},
		"two frames":       {"zstd", append(zstandard(t, chat), zstandard(t, "x")...)},
		"skippable":        {"zstd", append([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9}, zstandard(t, chat)...)},
		"skippable behind": {"zstd", append(zstandard(t, chat), 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9)},
		"zstd cut":         {"zstd", checked[:len(checked)-1]},
		"order":            {"gzip, zstd", twice},
	} {
		n := len(w.requests())
		if g := w.post("/v1/chat/completions", string(bad.body), "Content-Encoding: "+bad.coding); g.header.Get("Airun-Refusal") != bodyInvalid.code || len(w.requests()) != n {
			t.Errorf("%s: %v", name, g)
		}
	}
	bomb := strings.Repeat(" ", 2<<20)
	for coding, body := range map[string][]byte{"gzip": gzipped(bomb), "zstd": zstandard(t, bomb)} {
		if g := w.post("/v1/chat/completions", string(body), "Content-Encoding: "+coding); g.status != 413 {
			t.Errorf("%s bomb: %v", coding, g)
		}
	}
	w.waitFor(func() bool { return w.gateway.budget.used.Load() == 0 })
}

// TestZstdWindow: the window that a frame names is charged, and one over the cap has a reason of its own.
func TestZstdWindow(t *testing.T) {
	frame := func(size int) string {
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b, zstd.WithWindowSize(size))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(z, chat)
		z.Flush() // else the frame has a window of the size of its content
		z.Close()
		return b.String()
	}
	w := newWorld(t, func(o *Options) { o.Config.Limits = Limits{Body: 1 << 20, Memory: 4 << 20} })
	for size, want := range map[int]string{1 << 20: "", 8 << 20: memoryUsedUp.code, 16 << 20: codingRefused.code} {
		g := w.post("/v1/chat/completions", frame(size), "Content-Encoding: zstd")
		if g.header.Get("Airun-Refusal") != want {
			t.Errorf("a window of %d bytes: %v, want %q", size, g, want)
		}
	}
	large := append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0}, 0, 0, 0, 0x40, 1, 0, 0) // a single segment of 1 GiB
	if g := w.post("/v1/chat/completions", string(large), "Content-Encoding: zstd"); g.header.Get("Airun-Refusal") != bodyTooLarge.code {
		t.Error(g)
	}
	w.waitFor(func() bool { return w.gateway.budget.used.Load() == 0 })
}

// TestMemoryOfHeaders: headers are charged, too.
func TestMemoryOfHeaders(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Limits = Limits{Body: 1 << 10, Memory: 8 << 10} })
	w.refused(w.post("/v1/chat/completions", chat, "X-Long: "+strings.Repeat("x", 8<<10)), memoryUsedUp)
	if g := w.post("/v1/chat/completions", chat); g.status != 200 {
		t.Error(g)
	}
	w.waitFor(func() bool { return w.gateway.budget.used.Load() == 0 })
}

// spaces is a body of any length.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestTooLarge: the client of a body over the cap gets its 413, whether the length is known or not, and does not see a broken
// connection.
func TestTooLarge(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Limits.Body = 1 << 20 })
	for _, length := range []int64{40 << 20, -1} {
		r := w.request("/v1/chat/completions", "")
		r.Body, r.ContentLength = io.NopCloser(io.LimitReader(spaces{}, 40<<20)), length
		w.refused(w.do(r), bodyTooLarge)
	}
	if used := w.gateway.budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are charged", used)
	}
}

// TestMemory: a body that the memory has no room for is refused unread, and the room comes back.
func TestMemory(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Limits = Limits{Body: 1 << 10, Memory: 2 << 10} })
	w.gateway.budget.used.Store(2 << 10)
	w.refused(w.post("/v1/chat/completions", chat), memoryUsedUp)
	w.gateway.budget.used.Store(0)
	if g := w.post("/v1/chat/completions", chat); g.status != 200 {
		t.Error(g)
	}
	w.waitFor(func() bool { return w.gateway.budget.used.Load() == 0 })
}

// TestMemoryWhileStreaming: the room of a body comes back when it was sent, not when the answer ends. Of a short one, which the
// transport holds, its own size stays charged, and nothing else.
func TestMemoryWhileStreaming(t *testing.T) {
	w := newWorld(t, nil)
	during := make(chan int64, 1)
	for _, c := range []struct {
		body string
		want int64
	}{
		{`{"model": "m", "messages": [{"role": "user", "content": "` + strings.Repeat("x", limits.GatewayAtOnce) + `"}]}`, 0},
		{chat, int64(len(chat))},
	} {
		w.handler = func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.waitFor(func() bool { return w.gateway.budget.used.Load() == c.want })
			during <- w.gateway.budget.used.Load()
		}
		if g := w.post("/v1/chat/completions", c.body); g.status != 200 {
			t.Fatal(g)
		}
		if used := <-during; used != c.want {
			t.Errorf("%d bytes are charged while the upstream answers, want %d", used, c.want)
		}
		w.waitFor(func() bool { return w.gateway.budget.used.Load() == 0 })
	}
}

// TestExpect: a client that waits to be told to go on gets a refusal without sending its body, and is told to go on otherwise; the
// upstream is not asked to wait.
func TestExpect(t *testing.T) {
	w := newWorld(t, nil)
	head := "POST /v1/chat/completions%s HTTP/1.1\nHost: HOST\nExpect: 100-continue\nContent-Length: " + fmt.Sprint(len(chat)) + "\n\n"
	if status, refusal := w.raw(fmt.Sprintf(head, "?x=1")); refusal != queryRefused.code || w.continued != 0 {
		t.Errorf("%d %q, %d times told to go on", status, refusal, w.continued)
	}
	if status, _ := w.raw(fmt.Sprintf(head, "") + chat); status != 200 || w.continued != 1 {
		t.Errorf("%d, %d times told to go on", status, w.continued)
	}
	if r := w.requests(); len(r) != 1 || r[0].header.Get("Expect") != "" {
		t.Errorf("%v", r)
	}
}

// TestTable: docs/gateway.md has every refusal, with its status.
func TestTable(t *testing.T) {
	page, err := os.ReadFile("../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		if row := fmt.Sprintf("| `%s` | %d | %s |\n", k.code, k.status, k.when); !strings.Contains(string(page), row) {
			t.Errorf("docs/gateway.md has no row %s", row)
		}
	}
	if n := strings.Count(string(page), "_refused` | ") + strings.Count(string(page), "_unknown` | "); n < 10 || names[kinds[0].status] == [3]string{} {
		t.Errorf("%d rows: this test reads the page wrongly", n)
	}
	for status, want := range names {
		if row := fmt.Sprintf("| %d | `%s` | `%s` | `%s` |\n", status, want[0], want[1], want[2]); !strings.Contains(string(page), row) {
			t.Errorf("docs/gateway.md has no row %s", row)
		}
	}
}
