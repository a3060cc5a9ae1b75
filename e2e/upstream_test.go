package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// upstream stands in for the servers of model APIs: it keeps the exact bytes that arrive, and gives canned answers.
type upstream struct {
	*httptest.Server
	mu    sync.Mutex
	calls []received
}

// received is a call as the upstream saw it.
type received struct {
	method, target string
	header         http.Header
	body           []byte
	at             time.Time
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

// seen is what arrived since it was asked last.
func (u *upstream) seen() []received {
	u.mu.Lock()
	defer u.mu.Unlock()
	calls := u.calls
	u.calls = nil
	return calls
}

// ServeHTTP answers 503 where the body has the word "flaky" and the client has not tried before.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client left
	}
	u.mu.Lock()
	again := slices.ContainsFunc(u.calls, func(c received) bool { return bytes.Equal(c.body, body) })
	u.calls = append(u.calls, received{r.Method, r.RequestURI, r.Header.Clone(), body, time.Now()})
	u.mu.Unlock()
	if bytes.Contains(body, []byte("flaky")) && !again {
		w.Header().Set("Retry-After", "0")
		http.Error(w, `{"error":{"message":"try again","type":"server_error"}}`, http.StatusServiceUnavailable)
		return
	}
	var asked struct {
		Stream *bool `json:"stream"` // absent is false, but in Ollama's API true
	}
	_ = json.Unmarshal(body, &asked)
	stream := asked.Stream != nil && *asked.Stream
	switch path := r.URL.Path; {
	case path == "/v1/chat/completions":
		answerChat(w, stream)
	case path == "/v1/responses":
		answerResponses(w, stream)
	case path == "/v1/embeddings":
		answerJSON(w, `{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}],"usage":{"prompt_tokens":1,"total_tokens":1}}`)
	case path == "/v1/models":
		answerJSON(w, `{"object":"list","data":[{"id":"gpt-5.5","object":"model","created":1,"owned_by":"x"}]}`)
	case path == "/v1/messages":
		answerMessages(w, stream)
	case path == "/v1/messages/count_tokens":
		answerJSON(w, `{"input_tokens":7}`)
	case strings.HasSuffix(path, ":generateContent"):
		answerJSON(w, geminiChunk("pong"))
	case strings.HasSuffix(path, ":streamGenerateContent"):
		events(w, "", geminiChunk("po"), geminiChunk("ng"))
	case path == "/api/chat":
		answerOllama(w, asked.Stream == nil || stream)
	default:
		http.NotFound(w, r)
	}
}

func answerJSON(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, body)
}

// events writes server-sent events, each in a write of its own. Where it is not empty, name is the member of the data that
// names the event.
func events(w http.ResponseWriter, name string, data ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, d := range data {
		if name != "" {
			var event map[string]any
			if json.Unmarshal([]byte(d), &event) == nil {
				fmt.Fprintf(w, "event: %s\n", event[name])
			}
		}
		fmt.Fprintf(w, "data: %s\n\n", d)
		w.(http.Flusher).Flush()
	}
}

func answerChat(w http.ResponseWriter, stream bool) {
	if !stream {
		answerJSON(w, `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
		return
	}
	chunk := func(delta, finish string) string {
		return fmt.Sprintf(`{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`, delta, finish)
	}
	events(w, "", chunk(`{"role":"assistant","content":"po"}`, "null"), chunk(`{"content":"ng"}`, "null"), chunk("{}", `"stop"`), "[DONE]")
}

func answerResponses(w http.ResponseWriter, stream bool) {
	answer := func(status, output string) string {
		return fmt.Sprintf(`{"id":"r1","object":"response","created_at":1,"status":%q,"model":"m","output":[%s],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":{"input_tokens":1,"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":2}}`, status, output)
	}
	done := answer("completed", `{"type":"message","id":"m1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"pong","annotations":[]}]}`)
	if !stream {
		answerJSON(w, done)
		return
	}
	item := `{"type":"message","id":"m1","status":"in_progress","role":"assistant","content":[]}`
	delta := func(n int, text string) string {
		return fmt.Sprintf(`{"type":"response.output_text.delta","sequence_number":%d,"item_id":"m1","output_index":0,"content_index":0,"delta":%q,"logprobs":[]}`, n, text)
	}
	events(w, "type",
		`{"type":"response.created","sequence_number":0,"response":`+answer("in_progress", "")+`}`,
		`{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":`+item+`}`,
		`{"type":"response.content_part.added","sequence_number":2,"item_id":"m1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}`,
		delta(3, "po"), delta(4, "ng"),
		`{"type":"response.completed","sequence_number":5,"response":`+done+`}`)
}

func answerMessages(w http.ResponseWriter, stream bool) {
	message := func(content, stop string) string {
		return fmt.Sprintf(`{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[%s],"stop_reason":%s,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`, content, stop)
	}
	if !stream {
		answerJSON(w, message(`{"type":"text","text":"pong"}`, `"end_turn"`))
		return
	}
	delta := func(text string) string {
		return fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}`, text)
	}
	events(w, "type",
		`{"type":"message_start","message":`+message("", "null")+`}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		delta("po"), delta("ng"),
		`{"type":"content_block_stop","index":0}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}}`,
		`{"type":"message_stop"}`)
}

func geminiChunk(text string) string {
	return fmt.Sprintf(`{"candidates":[{"content":{"role":"model","parts":[{"text":%q}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2},"modelVersion":"m"}`, text)
}

func answerOllama(w http.ResponseWriter, stream bool) {
	chunk := func(text string, done bool) string {
		return fmt.Sprintf(`{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":%q},"done":%v}`, text, done)
	}
	if !stream {
		answerJSON(w, chunk("pong", true))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	for _, line := range []string{chunk("po", false), chunk("ng", false), chunk("", true)} {
		fmt.Fprintln(w, line)
		w.(http.Flusher).Flush()
	}
}
