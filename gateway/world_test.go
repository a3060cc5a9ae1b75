package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/signer"
)

const chat = `{"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}], "seed": 7}`

// memory is a journal in memory.
type memory struct {
	mu      sync.Mutex
	entries []journal.Entry
	err     error
	before  func()                // is called before an entry is taken
	hold    func(context.Context) // likewise
}

var _ Journal = (*memory)(nil)

func (m *memory) Append(ctx context.Context, e journal.Entry) (journal.Receipt, error) {
	if m.before != nil {
		m.before()
	}
	if m.hold != nil {
		m.hold(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.err, ctx.Err()); err != nil {
		return journal.Receipt{}, err
	}
	m.entries = append(m.entries, e)
	return journal.Receipt{Segment: 1, Line: len(m.entries), Digest: sha256.Sum256([]byte(e.Body.SHA256))}, nil
}

func (m *memory) Holds(client string, id identity.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.Client == client && e.Identity == id {
			return true
		}
	}
	return false
}

func (m *memory) Ready() error { return m.err }

func (m *memory) all() []journal.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]journal.Entry(nil), m.entries...)
}

// seen is a request as the upstream got it.
type seen struct {
	method, target string
	header         http.Header
	body           []byte
	length         int64
}

// world is a gateway between a client and an upstream.
type world struct {
	t       *testing.T
	key     signer.Signer
	journal *memory
	gateway *Gateway
	url     string // of the gateway
	logs    *bytes.Buffer
	logged  sync.Mutex

	continued int // how often raw was told to go on

	mu      sync.Mutex
	seen    []seen
	handler http.HandlerFunc // how the upstream answers
}

// barrier holds those that wait until it is opened, or the test ends: what a test holds does not keep its own cleanup waiting.
func (w *world) barrier() (wait, open func()) {
	c := make(chan struct{})
	open = sync.OnceFunc(func() { close(c) })
	w.t.Cleanup(open)
	return func() { <-c }, open
}

// waitFor fails the test, and goes on, if something does not become true.
func (w *world) waitFor(ready func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Error("it does not happen")
			return
		}
	}
}

func (w *world) requests() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]seen(nil), w.seen...)
}

func newKey(t *testing.T) signer.Signer {
	t.Helper()
	return keytest.New(t, signer.Ed25519)
}

// newWorld makes a gateway with an upstream of each provider at /PROVIDER, and openai's at the root.
func newWorld(t *testing.T, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, key: newKey(t), journal: &memory{}, logs: &bytes.Buffer{}}
	upstream := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		w.seen = append(w.seen, seen{r.Method, r.RequestURI, r.Header.Clone(), body, r.ContentLength})
		handler := w.handler
		w.mu.Unlock()
		if handler != nil {
			handler(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		io.WriteString(rw, `{"choices":[]}`)
	}))
	t.Cleanup(upstream.Close)
	o := Options{Signer: w.key, Journal: w.journal, Log: slog.New(slog.NewTextHandler(lockedWriter{w}, nil))}
	o.Config.Upstreams = []Upstream{{URL: upstream.URL, Provider: "openai"}}
	for _, p := range []string{"azure", "anthropic", "google", "vertex", "ollama", "vllm.example"} {
		o.Config.Upstreams = append(o.Config.Upstreams, Upstream{Prefix: "/" + p, URL: upstream.URL + "/base", Provider: p})
	}
	if change != nil {
		change(&o)
	}
	var err error
	if w.gateway, err = New(o); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.gateway)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

type lockedWriter struct{ w *world }

func (l lockedWriter) Write(p []byte) (int, error) {
	l.w.logged.Lock()
	defer l.w.logged.Unlock()
	return l.w.logs.Write(p)
}

func (w *world) log() string {
	w.logged.Lock()
	defer w.logged.Unlock()
	return w.logs.String()
}

// A got is an answer.
type got struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(r *http.Request) got {
	w.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return got{res.StatusCode, res.Header, string(body)}
}

// request is a POST of JSON; headers are "Name: value".
func (w *world) request(path, body string, headers ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequest("POST", w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			r.Header.Del(name)
			continue
		}
		r.Header[name] = append(r.Header[name], value)
	}
	return r
}

func (w *world) post(path, body string, headers ...string) got {
	w.t.Helper()
	return w.do(w.request(path, body, headers...))
}

// refused checks that an answer is a refusal of a kind, and that neither upstream nor journal saw the call.
func (w *world) refused(g got, k kind) {
	w.t.Helper()
	if g.status != k.status || g.header.Get("Airun-Refusal") != k.code {
		w.t.Errorf("status %d, refusal %q, want %d and %q: %s", g.status, g.header.Get("Airun-Refusal"), k.status, k.code, g.body)
	}
	if len(w.requests()) != 0 || len(w.journal.all()) != 0 {
		w.t.Errorf("the upstream saw %d requests, the journal %d", len(w.requests()), len(w.journal.all()))
	}
	if !json.Valid([]byte(g.body)) {
		w.t.Errorf("not JSON: %q", g.body)
	}
}

// verify verifies the bundle of an entry as a stranger would.
func (w *world) verify(e journal.Entry) *attest.Verified {
	w.t.Helper()
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "gateway", Key: w.key.PublicKey()})
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := attest.ParseBundle([]byte(textOf(w.t, e)))
	if err != nil {
		w.t.Fatal(err)
	}
	want := attest.Expect{Identity: &e.Identity, Declaration: e.Declaration}
	verified, err := v.Verify(w.t.Context(), b, want)
	if err != nil {
		w.t.Fatal(err)
	}
	return verified
}

func digest(data []byte) string { return bodyOf(data).SHA256 }

// textOf is the bundle of an entry as one line of JSON.
func textOf(t *testing.T, e journal.Entry) string {
	t.Helper()
	text, err := e.Bundle.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newPolicy is one of a key and one rule.
func newPolicy(t *testing.T, key signer.Signer, expr, message string) *policy.Policy {
	t.Helper()
	p, err := policy.New(policy.Spec{
		Name: "test", Keys: []attest.TrustedKey{{Name: "gateway", Key: key.PublicKey()}}, Rules: []policy.Rule{{Name: "rule", Expr: expr, Message: message}},
	}, policy.Options{BeforeSigning: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newSpecKeys(w *world) []attest.TrustedKey {
	return []attest.TrustedKey{{Name: "gateway", Key: w.key.PublicKey()}}
}
