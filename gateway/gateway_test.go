package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
)

// bodies are a request of each endpoint that computes, by path.
var bodies = map[string]struct{ table, provider, body string }{
	"/v1/chat/completions": {"openai-chat", "openai", chat},
	"/v1/responses":        {"openai-responses", "openai", `{"model":"gpt-4.1","input":"hi"}`},
	"/v1/embeddings":       {"openai-embeddings", "openai", `{"model":"e","input":["hi"]}`},
	"/azure/openai/deployments/d/chat/completions?api-version=2024-10-21":          {"openai-chat", "azure", `{"messages":[{"role":"user","content":"hi"}]}`},
	"/anthropic/v1/messages?beta=true":                                             {"anthropic-messages", "anthropic", `{"model":"claude","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`},
	"/google/v1beta/models/gemini-3-pro:generateContent?key=AIzaSecret":            {"gemini", "google", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`},
	"/google/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse":             {"gemini", "google", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`},
	"/vertex/v1/projects/p/locations/l/publishers/google/models/m:generateContent": {"gemini", "vertex", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`},
	"/ollama/api/chat":                  {"ollama-chat", "ollama", `{"model":"llama3","messages":[{"role":"user","content":"hi"}]}`},
	"/ollama/v1/chat/completions":       {"openai-compatible-chat", "ollama", chat},
	"/vllm.example/v1/chat/completions": {"openai-compatible-chat", "vllm.example", chat},
}

// TestEndpoints: a call of each API is declared as capture does, signed, journaled and forwarded unchanged.
func TestEndpoints(t *testing.T) {
	tables := map[string]bool{}
	for path, want := range bodies {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t, nil)
			w.journal.before = func() {
				if len(w.requests()) > 0 {
					t.Error("the upstream saw the call before the journal")
				}
			}
			g := w.post(path, want.body, "Anthropic-Version: 2023-06-01", "Authorization: Bearer sk-secret", "X-Api-Key: sk-secret", "Airun-Annotation: ticket=ML-1", "X-Stainless-Retry-Count: 2")
			entries, requests := w.journal.all(), w.requests()
			if g.status != 200 || len(entries) != 1 || len(requests) != 1 {
				t.Fatalf("status %d, %d entries, %d requests: %s", g.status, len(entries), len(requests), g.body)
			}
			e, r := entries[0], requests[0]
			if string(r.body) != want.body || r.header.Get("Authorization") != "Bearer sk-secret" {
				t.Errorf("the upstream got %q with %v", r.body, r.header)
			}
			prefix := "/" + want.provider
			if !strings.HasPrefix(path, prefix+"/") || want.provider == "openai" {
				prefix = ""
			}
			target := strings.TrimPrefix(path, prefix)
			if onWire := target; prefix != "" {
				if onWire = "/base" + target; r.target != onWire {
					t.Errorf("the upstream got %s, want %s", r.target, onWire)
				}
			}
			for name := range r.header {
				if isOurs(name) {
					t.Errorf("the upstream got %s", name)
				}
			}
			format, err := capture.Lookup(want.table)
			if err != nil {
				t.Fatal(err)
			}
			target, _, _ = strings.Cut(strings.ReplaceAll(target, "?api", "&api"), "?")
			captured, err := format.Capture(capture.Source{Body: []byte(want.body), Provider: want.provider, Target: strings.Replace(target, "&", "?", 1), Header: http.Header{"Anthropic-Version": {"2023-06-01"}}})
			if err != nil {
				t.Fatal(err)
			}
			if kind := captured.Declaration.Kind(); kind != calls {
				t.Errorf("a run of the kind %s, and policies are asked about the kind %s", kind, calls)
			}
			id := captured.Declaration.ID()
			if g.header.Get(headerIdentity) != id.String() || e.Identity != id || g.header.Get(headerJournal) == "" {
				t.Errorf("answer %s, entry %s, want %s", g.header.Get(headerIdentity), e.Identity, id)
			}
			report := w.verify(e).Report()
			if want := map[string]string{"capture": captured.Format.Name(), "client": "local", "client/ticket": "ML-1"}; !maps.Equal(report.Annotations, want) {
				t.Errorf("annotations %v, want %v", report.Annotations, want)
			}
			if e.Fate != journal.Admitted || e.Client != "local" || e.Attempt != 2 || e.Body.SHA256 != digest([]byte(want.body)) || e.Body.Decoded != "" || !slices.Contains(e.Headers, "Authorization") {
				t.Errorf("entry %+v", e)
			}
			if log := w.log(); strings.Contains(log, "ecret") || strings.Contains(log, id.String()) || strings.Contains(log, "hi") {
				t.Errorf("the log has what it must not: %s", log)
			}
		})
		tables[want.table] = true
	}
	for _, p := range protocols() {
		for _, e := range p.endpoints {
			if e.does == captured && !tables[e.table] {
				t.Errorf("no request of %s", e.table)
			}
			if _, err := capture.Lookup(e.table); e.does == captured && err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSame: equal requests have one identity and one bundle, and a line each; another annotation has another bundle.
func TestSame(t *testing.T) {
	w := newWorld(t, nil)
	for _, annotation := range []string{"Airun-Annotation: a=1", "Airun-Annotation: a=1", "Airun-Annotation: a=2"} {
		if g := w.post("/v1/chat/completions", chat, annotation); g.status != 200 {
			t.Fatal(g)
		}
	}
	e := w.journal.all()
	if len(e) != 3 || e[0].Identity != e[2].Identity || textOf(t, e[0]) != textOf(t, e[1]) || textOf(t, e[1]) == textOf(t, e[2]) {
		t.Errorf("%d entries: %v", len(e), e)
	}
}

// TestPassed: endpoints that compute nothing pass without a line.
func TestPassed(t *testing.T) {
	w := newWorld(t, nil)
	if g := w.post("/anthropic/v1/messages/count_tokens?beta=true", `{"x":1,"x":2}`); g.status != 200 || g.header.Get(headerIdentity) != "" {
		t.Error(g)
	}
	if g := w.post("/v1/files", "--b--", "Content-Type: ", "Content-Type: multipart/form-data; boundary=b"); g.status != 200 {
		t.Error(g)
	}
	r, _ := http.NewRequest("GET", w.url+"/v1/models?client_version=1&x=%20", nil)
	if g := w.do(r); g.status != 200 {
		t.Error(g)
	}
	if n := len(w.requests()); n != 3 || len(w.journal.all()) != 0 || w.requests()[2].target != "/v1/models?client_version=1&x=%20" {
		t.Errorf("%d requests: %v", n, w.requests())
	}
	r, _ = http.NewRequest("HEAD", w.url+"/", nil)
	if g := w.do(r); g.status != 200 || len(w.requests()) != 3 {
		t.Error(g)
	}
}

// TestBodyOfOthers: only a POST has a body, since a server that does not look at the method could run what is in it.
func TestBodyOfOthers(t *testing.T) {
	w := newWorld(t, nil)
	for _, method := range []string{"GET", "DELETE"} {
		for _, text := range []io.Reader{strings.NewReader(chat), struct{ io.Reader }{strings.NewReader(chat)}} { // the second in chunks
			r, err := http.NewRequest(method, w.url+"/v1/chat/completions/x", text)
			if err != nil {
				t.Fatal(err)
			}
			w.refused(w.do(r), endpointUnknown)
		}
	}
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestUndeclared: an endpoint without a table is refused, unless the configuration forwards it, with a line that says so.
func TestUndeclared(t *testing.T) {
	w := newWorld(t, nil)
	w.refused(w.post("/v1/completions", `{"model":"m","prompt":"hi"}`), endpointUndeclared)
	w = newWorld(t, func(o *Options) { o.Config.InsecureForwardUndeclared = true })
	w.refused(w.post("/v1/completions", "", "Idempotency-Key: k"), bodyInvalid)
	g := w.post("/v1/completions", `{"model":"m","prompt":"hi"}`)
	e := w.journal.all()
	if g.status != 200 || len(e) != 1 || e[0].Fate != journal.Undeclared || e[0].Bundle != nil || !e[0].Identity.IsZero() || g.header.Get(headerIdentity) != "" || e[0].Body.SHA256 == "" {
		t.Errorf("%v %+v", g, e)
	}
	_, err := New(Options{Signer: w.key, Journal: w.journal, Policy: newPolicy(t, w.key, "true", ""), Config: w.gateway.config})
	if !errors.Is(err, errUndecided) {
		t.Errorf("beside a policy: %v", err)
	}
}

// TestPolicy: the policy is asked about each call, before it is signed, and its reason is in the answer.
func TestPolicy(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Policy = newPolicy(t, o.Signer, `declaration.model.name == "gpt-4.1" && annotations["client"] == "local"`, "this model is not allowed")
		o.Config.LogDenied = true
	})
	if g := w.post("/v1/chat/completions", chat); g.status != 200 {
		t.Fatal(g)
	}
	e := w.journal.all()[0]
	if e.Policy != fmt.Sprintf("%x", w.gateway.policy.Load().Digest()) || w.verify(e).Report().Annotations["policy"] != e.Policy {
		t.Errorf("policy %q", e.Policy)
	}
	g := w.post("/v1/chat/completions", strings.Replace(chat, "gpt-4.1", "other", 1))
	if g.status != 403 || !strings.Contains(g.body, "this model is not allowed") || g.header.Get(headerIdentity) == "" || g.header.Get("X-Should-Retry") != "false" || len(w.requests()) != 1 {
		t.Errorf("%v", g)
	}
	if all := w.journal.all(); len(all) != 2 || all[1].Fate != journal.Denied || all[1].Bundle != nil || all[1].Body != (journal.Body{}) || all[1].Policy != e.Policy {
		t.Errorf("%+v", all)
	}
	if err := w.gateway.SetPolicy(newPolicy(t, w.key, "false", "closed")); err != nil {
		t.Fatal(err)
	}
	if g := w.post("/v1/chat/completions", chat); g.status != 403 || !strings.Contains(g.body, "closed") {
		t.Errorf("after SetPolicy: %v", g)
	}
}

// TestPolicyUnmet: a policy that no call can meet is refused wherever it is given, and the one before stays. One that is false is meant so.
func TestPolicyUnmet(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Policy = newPolicy(t, o.Signer, "true", "") })
	own, other := newSpecKeys(w), attest.TrustedKey{Name: "eve", Key: newKey(t).PublicKey()}
	both := append(slices.Clone(own), other)
	sign := func(context.Context, attest.Signable) (*attest.Bundle, error) { return nil, nil }
	rule := func(expr string) []policy.Rule { return []policy.Rule{{Name: "rule", Expr: expr}} }
	for _, c := range []struct {
		spec policy.Spec
		want string // "" for what may be met
	}{
		{policy.Spec{Keys: []attest.TrustedKey{other}}, "is not among the keys of the policy's signers"},
		{policy.Spec{Keys: own, Kinds: []identity.Kind{identity.Training, identity.Agent}}, "/kinds: has none of the kinds of these runs: inference"},
		{policy.Spec{Keys: own, Rules: rule(`declaration.kind == "training"`)}, `demands that kind is "training"`},
		{policy.Spec{Keys: own, Rules: rule(`run.kind.startsWith("t")`)}, "is false for every kind"},
		{policy.Spec{Keys: both, Rules: rule(`signer.name == "eve"`)}, `demands that name is "eve"`},
		{policy.Spec{Keys: both, Rules: append(rule(`signer.name == "eve" || run.kind == "training"`), policy.Rule{Name: "other", Expr: "true"})}, "no run meets the rule"},
		{policy.Spec{Keys: both, Kinds: []identity.Kind{identity.Training, identity.Inference}}, ""},
		{policy.Spec{Keys: own, Rules: rule(`declaration.kind != "inference" || declaration.model.name == "m"`)}, ""},
		{policy.Spec{Keys: own, Rules: rule(`declaration.kind == "training" || declaration.model.name == "m"`)}, ""},
		{policy.Spec{Keys: own, Rules: []policy.Rule{{Name: "rule", Expr: `declaration.kind == "training"`, Severity: policy.Warn}}}, ""},
		{policy.Spec{Keys: own, Rules: rule("false")}, ""},
	} {
		p, err := policy.New(c.spec, policy.Options{BeforeSigning: true})
		if err != nil {
			t.Fatal(err)
		}
		before := w.gateway.policy.Load()
		_, signs := New(Options{Signer: w.key, Journal: w.journal, Config: w.gateway.config, Policy: p})
		_, gathers := New(Options{Window: &Window{Sign: sign, Key: w.key.PublicKey()}, Journal: w.journal, Config: w.gateway.config, Policy: p})
		for i, err := range []error{w.gateway.SetPolicy(p), signs, gathers} {
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, new(*policy.InvalidError))) {
				t.Errorf("%d: %+v: %v, want %q", i, c.spec, err, c.want)
			}
		}
		if c.want != "" && w.gateway.policy.Load() != before {
			t.Errorf("%q: the policy is in force", c.want)
		}
	}
	if err := w.gateway.SetPolicy(new(policy.Policy)); err == nil {
		t.Error("a policy that nothing has read is in force")
	}
}

// TestPolicyAfterSigning: a policy that only a signed bundle can meet is refused, and the one before stays.
func TestPolicyAfterSigning(t *testing.T) {
	w := newWorld(t, nil)
	late, err := policy.New(policy.Spec{Keys: newSpecKeys(w)}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.gateway.SetPolicy(late); !errors.Is(err, policy.ErrAfterSigning) {
		t.Error(err)
	}
	if err := w.gateway.SetPolicy(nil); err == nil || w.gateway.policy.Load() != nil {
		t.Error("a nil policy was taken")
	}
	if _, err := New(Options{Signer: w.key, Journal: w.journal, Config: w.gateway.config, Policy: late}); !errors.Is(err, policy.ErrAfterSigning) {
		t.Error(err)
	}
}

// TestParents: a parent is a run of the same client that the journal holds, and enters the identity.
func TestParents(t *testing.T) {
	w := newWorld(t, nil)
	first := w.post("/v1/chat/completions", chat)
	parent := first.header.Get(headerIdentity)
	second := w.post("/v1/chat/completions", chat, headerParent+": "+parent)
	if second.status != 200 || second.header.Get(headerIdentity) == parent {
		t.Fatal(second)
	}
	if d := w.journal.all()[1].Declaration; len(d.Parents()) != 1 || d.Parents()[0].String() != parent {
		t.Error(d)
	}
	unknown := "airun:1:sha256:" + strings.Repeat("0", 63) + "1"
	for _, bad := range []string{unknown, "x", strings.ToUpper(parent)} {
		if g := w.post("/v1/chat/completions", chat, headerParent+": "+bad); g.status != 400 || g.header.Get("Airun-Refusal") != parentRefused.code {
			t.Errorf("%s: %v", bad, g)
		}
	}
	if g := w.post("/v1/chat/completions", chat, headerParent+": "+parent, headerParent+": "+parent); g.status != 400 {
		t.Error(g)
	}
	w = newWorld(t, func(o *Options) { o.Config.Parents = ParentsAny })
	if g := w.post("/v1/chat/completions", chat, headerParent+": "+unknown); g.status != 200 {
		t.Error(g)
	}
	w = newWorld(t, func(o *Options) { o.Config.Parents = ParentsNone })
	w.refused(w.post("/v1/chat/completions", chat, headerParent+": "+unknown), parentRefused)
}

// TestContent: declarations are beside the entry, or in the bundle unless they are large.
func TestContent(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Content = ContentEmbed })
	large := strings.Replace(chat, "hi", strings.Repeat("x", 70_000), 1)
	for _, body := range []string{chat, large} {
		if g := w.post("/v1/chat/completions", body); g.status != 200 {
			t.Fatal(g)
		}
	}
	e := w.journal.all()
	if e[0].Declaration != nil || e[1].Declaration == nil {
		t.Error("the small one is detached, or the large one is not")
	}
	w.verify(e[0])
	w.verify(e[1])
}

// TestIdentityUpstream: the identity is sent upstream where the configuration says so.
func TestIdentityUpstream(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Upstreams[0].Identity = true })
	g := w.post("/v1/chat/completions", chat, "Baggage: a=1,airun.identity=fake, b=2")
	h := w.requests()[0].header
	if id := g.header.Get(headerIdentity); h.Get(headerIdentity) != id || h.Get("Baggage") != "airun.identity="+id+",a=1,b=2" {
		t.Errorf("%v", h)
	}
	w.post("/v1/chat/completions", chat, "Baggage: airun.identity=fake,a="+strings.Repeat("x", 8150))
	if b := w.requests()[1].header.Get("Baggage"); b != "a="+strings.Repeat("x", 8150) {
		t.Errorf("large baggage: %.60q", b)
	}
}

// TestIdentityForged: an upstream that is told identities gets none from a client, of calls without one either.
func TestIdentityForged(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Config.Upstreams[0].Identity, o.Config.InsecureForwardUndeclared = true, true
	})
	for i, path := range []string{"/v1/completions", "/v1/responses/input_tokens"} {
		w.post(path, chat, "Baggage: a=1,airun.identity=fake", "Baggage: AIRUN.identity = fake;x=y, b=2",
			"Baggage: airun%2Eidentity=fake,airun.%69dentity=fake,+airun.identity=fake,%1Fairun.identity%20=fake")
		if h := w.requests()[i].header; h.Get("Baggage") != "a=1,b=2" || h.Get(headerIdentity) != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestJournalFails: without a line nothing is forwarded, and the client may try again.
func TestJournalFails(t *testing.T) {
	w := newWorld(t, nil)
	w.journal.err = journal.ErrStalled
	g := w.post("/v1/chat/completions", chat)
	w.refused(g, journalFailed)
	if g.header.Get("Retry-After") == "" || g.header.Get("X-Should-Retry") != "" {
		t.Error(g.header)
	}
}

// TestStyles: refusals speak the format of their API.
func TestStyles(t *testing.T) {
	w := newWorld(t, nil)
	for path, want := range map[string]string{
		"/v1/chat/completions":                    `{"error":{"code":"capture_refused","message":"M","param":null,"type":"invalid_request_error"}}`,
		"/anthropic/v1/messages":                  `{"error":{"message":"M","type":"invalid_request_error"},"type":"error"}`,
		"/google/v1beta/models/m:generateContent": `{"error":{"code":400,"message":"M","status":"INVALID_ARGUMENT"}}`,
		"/ollama/api/chat":                        `{"error":"M"}`,
		"/ollama/v1/chat/completions":             `{"error":{"code":"capture_refused","message":"M","param":null,"type":"invalid_request_error"}}`,
	} {
		g := w.post(path, "{")
		w.refused(g, captureRefused)
		var v map[string]any
		if err := json.Unmarshal([]byte(g.body), &v); err != nil {
			t.Fatal(err)
		}
		if e, ok := v["error"].(map[string]any); ok {
			e["message"] = "M"
		} else {
			v["error"] = "M"
		}
		if text, _ := json.Marshal(v); string(text) != want {
			t.Errorf("%s: %s, want %s", path, text, want)
		}
	}
}

// TestMatch: a * is one segment or what stands before its end, and is not empty.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"/v1/models", "/v1/models", true},
		{"/v1/models", "/v1/models/", false},
		{"/v1/models", "/v1/model", false},
		{"/v1/models", "v1/models", false},
		{"/v1/models/*", "/v1/models", false},
		{"/v1/models/*", "/v1/models/", false},
		{"/v1/models/*", "/v1/models/a", true},
		{"/v1/models/*", "/v1/models/a:b", true},
		{"/v1/models/*", "/v1/models/a/b", false},
		{"/v1/models/*", "/v1//a", false},
		{"/v1/*/content", "/v1/a/content", true},
		{"/v1/*/content", "/v1//content", false},
		{"/v1/*:go", "/v1/m:go", true},
		{"/v1/*:go", "/v1/:go", false},
		{"/v1/*:go", "/v1/m:stop:go", false},
		{"/v1/*:go", "/v1/m:go/", false},
		{"/", "/", true},
		{"/", "//", false},
	} {
		e := &endpoint{method: "POST", path: c.pattern}
		if got := e.match("POST", c.path); got != c.want || e.match("GET", c.path) {
			t.Errorf("%s %s: %v", c.pattern, c.path, got)
		}
	}
}
