package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const gatewayConfig = `schema: https://github.com/runattest/runattest/gateway/v1
upstreams:
  - prefix: /openai
    url: URL
    provider: openai
  - prefix: /anthropic
    url: URL
    provider: anthropic
  - prefix: /google
    url: URL
    provider: google
  - prefix: /local
    url: URL
    provider: ollama
`

// call is what a client is to do, and what the gateway has to make of it.
type call struct {
	node bool
	ask  ask
	base string // behind the gateway's address
	runs int    // how many the journal gets
	kind string // of capture's formats, to hold the identity against
}

func modelCalls() []call {
	var calls []call
	both := func(node bool, do, base, kind string, more ask) {
		for _, stream := range []bool{false, true} {
			a := ask{"do": do, "stream": stream}
			maps.Copy(a, more)
			calls = append(calls, call{node, a, base, 1, kind})
		}
	}
	both(false, "chat", "/openai/v1", "openai-chat", nil)
	both(false, "chat", "/openai/v1", "openai-chat", ask{"tools": true, "options": ask{"seed": json.Number("9223372036854775807")}})
	both(false, "responses", "/openai/v1", "openai-responses", nil)
	both(false, "messages", "/anthropic", "anthropic-messages", nil)
	both(false, "gemini", "/google", "gemini", nil)
	both(false, "ollama_chat", "/local", "ollama-chat", nil)
	both(false, "langchain", "/openai/v1", "openai-chat", nil)
	both(true, "chat", "/openai/v1", "openai-chat", nil)
	both(true, "responses", "/openai/v1", "openai-responses", nil)
	both(true, "messages", "/anthropic", "anthropic-messages", nil)
	both(true, "aiSDK", "/openai/v1", "openai-chat", nil)
	both(true, "aiSDK", "/openai/v1", "openai-responses", ask{"api": "responses"})
	return append(calls,
		call{false, ask{"do": "embeddings"}, "/openai/v1", 1, "openai-embeddings"},
		call{false, ask{"do": "models"}, "/openai/v1", 0, ""},
		call{false, ask{"do": "count_tokens"}, "/anthropic", 0, ""})
}

// Real clients, unchanged but for the base URL: each call is in the journal with the identity that the command line finds in
// the very bytes that the upstream got.
func TestGatewayClients(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	up := newUpstream(t)
	d.write("gateway.yaml", []byte(strings.ReplaceAll(gatewayConfig, "URL", up.URL)))
	python, node := d.callers()
	g := d.gateway("journal", "--config", "gateway.yaml")

	var want []string
	for _, c := range modelCalls() {
		client := python
		if c.node {
			client = node
		}
		c.ask["base"] = g.url + c.base
		said := client.answer(c.ask)
		if c.runs == 1 && said.Text != "pong" && c.ask["do"] != "embeddings" || said.Error != "" {
			t.Errorf("%v: %+v", c.ask, said)
			continue
		}
		seen := up.seen()
		if len(seen) != 1 {
			t.Errorf("%v: the upstream saw %d calls", c.ask, len(seen))
			continue
		}
		for name := range seen[0].header {
			if strings.HasPrefix(name, "Airun-") {
				t.Errorf("%v: the upstream got %s", c.ask, name)
			}
		}
		if c.runs == 0 {
			continue
		}
		id := d.capturedAs(c, seen[0])
		if said.Identity != "" && said.Identity != id {
			t.Errorf("%v: the answer says %s, want %s", c.ask, said.Identity, id)
		}
		want = append(want, id)
	}

	runs := g.verified()
	if len(runs) != len(want) {
		t.Fatalf("the journal has %d runs, want %d", len(runs), len(want))
	}
	for i, run := range runs {
		if run.Identity != want[i] || !run.Verified {
			t.Errorf("run %d: %+v, want %s", i, run, want[i])
		}
	}
}

// capturedAs is the identity that `runattest capture` finds in a call as the upstream saw it.
func (d *desk) capturedAs(c call, r received) string {
	d.t.Helper()
	d.write("body.json", r.body)
	target, query, _ := strings.Cut(r.target, "?")
	args := []string{"capture", "--path", target}
	if query == "beta=true" {
		args[2] += "?" + query
	}
	for name, lines := range r.header {
		if strings.HasPrefix(name, "Anthropic-") || strings.HasPrefix(name, "Openai-") {
			args = append(args, "--header", name+": "+lines[0])
		}
	}
	d.write("declaration.json", d.runattest(append(args, c.kind, "body.json")...).ok())
	id, _, _ := strings.Cut(string(d.runattest("id", "declaration.json").ok()), " ")
	return strings.TrimSpace(id)
}

// A client that tries again has one run, journaled twice.
func TestGatewayRetry(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	up := newUpstream(t)
	python, node := d.callers()
	g := d.gateway("journal", "--upstream", up.URL, "--provider", "openai")
	for _, client := range []*client{python, node} {
		if said := client.answer(ask{"do": "chat", "base": g.url + "/v1", "content": "flaky"}); said.Text != "pong" {
			t.Errorf("%+v", said)
		}
		if seen := up.seen(); len(seen) != 2 {
			t.Errorf("the upstream saw %d calls, want 2", len(seen))
		}
	}
	runs := g.verified()
	if len(runs) != 4 || runs[0] != runs[1] || runs[2] != runs[3] {
		t.Errorf("the journal has %+v, want each run twice", runs)
	}
}

// noInference refuses every call of a model.
const noInference = `schema: https://github.com/runattest/runattest/policy/v1
name: no-inference
signers:
  keys: [{name: gateway, key: runattest.pub}]
rules:
  - name: kind
    expr: "false"
    message: "{{declaration.kind}} waits for the budget of next year"
`

// The reason of a refusal is in each SDK's own exception, and nothing was sent.
func TestGatewayRefuses(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	up := newUpstream(t)
	d.write("gateway.yaml", []byte(strings.ReplaceAll(gatewayConfig, "URL", up.URL)))
	d.write("policy.yaml", []byte(noInference))
	python, node := d.callers()
	g := d.gateway("journal", "--config", "gateway.yaml", "--policy", "policy.yaml")
	for _, c := range modelCalls() {
		if c.runs == 0 || c.ask["do"] == "embeddings" {
			continue
		}
		client := python
		if c.node {
			client = node
		}
		c.ask["base"] = g.url + c.base
		if said := client.answer(c.ask); !strings.Contains(said.Error, "inference waits for the budget of next year") {
			t.Errorf("%v: %+v", c.ask, said)
		}
	}
	if seen := up.seen(); len(seen) != 0 {
		t.Errorf("the upstream saw %d refused calls: %q", len(seen), seen[0].body)
	}
	g.stop()
	if o := d.runattest("journal", "verify", "--key", "runattest.pub", g.journal); o.code != 1 || !strings.Contains(string(o.stdout), "no line") {
		t.Errorf("a journal without a call: exit status %d, %s", o.code, o.stdout)
	}
}

// In a block of the Python package the SDKs' calls are signed, though the clients are told nothing.
func TestGatewayOfPython(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	d.write("policy.yaml", []byte(noInference))
	up := newUpstream(t)
	upstreams := ask{}
	for name, provider := range map[string]string{"openai": "openai", "anthropic": "anthropic", "google": "google", "ollama": "ollama"} {
		upstreams[name] = ask{"url": up.URL, "provider": provider}
	}
	python, _ := d.callers()
	calls := func() (all []ask) {
		for _, do := range []string{"chat", "responses", "messages", "gemini", "ollama_chat", "langchain"} {
			all = append(all, ask{"do": do}, ask{"do": do, "stream": true})
		}
		return all
	}
	said := python.answer(ask{"do": "within", "upstream": upstreams, "calls": calls()})
	if want := "[" + strings.Repeat(`"pong", `, len(calls())-1) + `"pong"]`; said.Text != want {
		t.Errorf("got %+v, want %s", said, want)
	}
	seen := up.seen()
	g := &gatewayProcess{d: d, journal: d.path("journal"), stop: func() {}}
	if runs := g.verified(); len(runs) != len(calls()) || len(seen) != len(calls()) {
		t.Errorf("the journal has %d runs, the upstream saw %d calls, want %d", len(runs), len(seen), len(calls()))
	}

	said = python.answer(ask{"do": "refused", "upstream": upstreams, "policy": "policy.yaml", "calls": calls()})
	if n := strings.Count(said.Text, "inference waits for the budget of next year"); n != len(calls()) || len(up.seen()) != 0 {
		t.Errorf("%d of %d calls were refused with the reason: %+v", n, len(calls()), said)
	}
}

// A real inference server gives the same answer through the gateway and without it.
func TestGatewayRealServer(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	server := d.modelServer()
	d.write("gateway.yaml", []byte(strings.ReplaceAll(gatewayConfig, "URL", server)))
	python, _ := d.callers()
	g := d.gateway("journal", "--config", "gateway.yaml")
	var want int
	for _, a := range []ask{
		{"do": "chat", "options": ask{"seed": 7, "max_tokens": 12, "temperature": 0}},
		{"do": "responses", "options": ask{"max_output_tokens": 12, "temperature": 0}},
		{"do": "messages", "options": ask{"extra_body": ask{"temperature": 0}}},
	} {
		for _, stream := range []bool{false, true} {
			prefix, base := "/openai", "/v1"
			if a["do"] == "messages" {
				prefix, base = "/anthropic", ""
			}
			a["stream"], a["model"] = stream, "tiny"
			a["base"] = server + base
			direct := python.answer(a)
			a["base"] = g.url + prefix + base
			if said := python.answer(a); said.Text != direct.Text || said.Text == "" {
				t.Errorf("%v: %+v through the gateway, %+v without", a, said, direct)
			}
			want++
		}
	}
	if runs := g.verified(); len(runs) != want {
		t.Errorf("the journal has %d runs, want %d", len(runs), want)
	}
}

// curl waits for a 100 (Continue) before it sends a large body; it gets one from the gateway, and the upstream the same bytes.
func TestGatewayCurl(t *testing.T) {
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	up := newUpstream(t)
	g := d.gateway("journal", "--upstream", up.URL, "--provider", "openai")
	body := []byte(`{"model":"gpt-5.5","messages":[{"role":"user","content":"` + strings.Repeat("ping ", 1<<19) + `"}]}`)
	d.write("body.json", body)
	answer := d.run("curl", []string{"--silent", "--fail-with-body", "--noproxy", "*", "--header", "Expect: 100-continue",
		"--expect100-timeout", "60", "--max-time", "30", "--json", "@body.json", g.url + "/v1/chat/completions"}).ok()
	if !strings.Contains(string(answer), "pong") {
		t.Errorf("curl got %s", answer)
	}
	seen := up.seen()
	if len(seen) != 1 || sum(seen[0].body) != sum(body) {
		t.Errorf("the upstream saw %d calls, or other bytes", len(seen))
	}
	if slices.ContainsFunc(seen, func(r received) bool { return r.header.Get("Expect") != "" }) {
		t.Error("the upstream was asked to continue")
	}
	if runs := g.verified(); len(runs) != 1 {
		t.Errorf("the journal has %d runs", len(runs))
	}
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// A gateway that is killed at any instant, with calls in flight: every call that the upstream saw is in the journal, which
// verifies.
func TestGatewayKilled(t *testing.T) {
	instants := many(20, 200)
	d := newDesk(t)
	d.runattest("keygen", "--no-password").ok()
	up := newUpstream(t)
	saw := map[string]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range instants {
		g := d.gateway("journal", "--upstream", up.URL, "--provider", "openai")
		ctx, stop := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		for j := range 4 {
			calls.Go(func() {
				for k := 0; ctx.Err() == nil; k++ {
					body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"%d %d %d"}]}`, i, j, k)
					r, err := http.Post(g.url+"/v1/chat/completions", "application/json", strings.NewReader(body))
					if err != nil {
						return // it was killed
					}
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			})
		}
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
		g.kill()
		stop()
		calls.Wait()
		for _, r := range up.seen() {
			saw[sum(r.body)] = true
		}
	}
	g := d.gateway("journal", "--upstream", up.URL, "--provider", "openai") // what was torn is cut, and the last segment closed
	g.stop()
	lines := 0
	for line := range bytes.Lines(d.runattest("journal", "verify", "--closed", "--key", "runattest.pub", "--format", "json", g.journal).ok()) {
		var e struct {
			Body *struct {
				SHA256 string `json:"sha256"`
			} `json:"body"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Body != nil {
			lines++
			delete(saw, e.Body.SHA256)
		}
	}
	if lines < instants {
		t.Errorf("the journal has %d lines: the test made too few calls", lines)
	}
	if len(saw) > 0 {
		t.Errorf("%d calls that the upstream saw are not in the journal", len(saw))
	}
}
