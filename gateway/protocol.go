package gateway

import (
	"slices"
	"strings"
	"sync"
)

// A style is the error format of an API.
type style byte

const (
	openAIStyle style = iota
	anthropicStyle
	geminiStyle
	ollamaStyle
)

// what an endpoint does with a request.
type treatment byte

const (
	captured   treatment = iota // it computes, and a table declares its requests
	passed                      // it computes nothing
	undeclared                  // it computes, and no table declares its requests
)

// An endpoint is a method and a path behind an upstream's prefix. In a path * is one segment, and *:VERB one that has a single
// colon, before VERB: of a:x:y some servers take x for the verb, and some y.
type endpoint struct {
	method, path string
	does         treatment
	table        string   // of captured ones: the API whose newest table is used
	query        []string // of captured and undeclared ones: the members that may be there, each once
	multipart    bool     // of passed ones: the body may be multipart/form-data
}

// A protocol is what one kind of provider speaks.
type protocol struct {
	name      string
	providers []string // NAME:* has a part of its own; none is any other
	style     style
	endpoints []endpoint
	baseHint  string // how clients name the gateway
}

// transportQuery are members of a query that steer the transport, not the run, or hold a credential. They are forwarded and
// not shown to the table.
var transportQuery = []string{"alt", "key", "prettyPrint", "beta"}

// queryValues are the values that a member may have, where not every one does the same.
var queryValues = map[string][]string{"beta": {"true"}, "alt": {"sse", "json"}, "prettyPrint": {"true", "false"}}

func computes(method, path, table string, query ...string) endpoint {
	return endpoint{method: method, path: path, table: table, query: query}
}

// passes are endpoints that compute nothing, written "METHOD PATH".
func passes(lines ...string) []endpoint {
	var l []endpoint
	for _, line := range lines {
		method, path, _ := strings.Cut(line, " ")
		l = append(l, endpoint{method: method, path: path, does: passed})
	}
	return l
}

// uploads are endpoints that compute nothing and take files.
func uploads(lines ...string) []endpoint {
	l := passes(lines...)
	for i := range l {
		l[i].multipart = true
	}
	return l
}

// lacks are endpoints that compute and have no table.
func lacks(lines ...string) []endpoint {
	l := passes(lines...)
	for i := range l {
		l[i].does = undeclared
	}
	return l
}

// protocols are all that this package knows; the last is that of every other provider. They are made when they are first read:
// every start of a program that links this package would pay for them.
var protocols = sync.OnceValue(func() []protocol {
	return []protocol{
		{
			name: "openai", providers: []string{"openai"}, baseHint: "set OPENAI_BASE_URL to %s/v1",
			endpoints: slices.Concat(
				[]endpoint{
					computes("POST", "/v1/chat/completions", "openai-chat"),
					computes("POST", "/v1/responses", "openai-responses"),
					computes("POST", "/v1/embeddings", "openai-embeddings"),
				},
				passes("GET /v1/models", "GET /v1/models/*", "GET /v1/files", "GET /v1/files/*", "DELETE /v1/files/*", "GET /v1/files/*/content",
					"POST /v1/responses/input_tokens", "GET /v1/responses/*", "DELETE /v1/responses/*", "POST /v1/responses/*/cancel", "GET /v1/responses/*/input_items",
					"GET /v1/chat/completions", "GET /v1/chat/completions/*", "DELETE /v1/chat/completions/*", "GET /v1/chat/completions/*/messages",
					"GET /v1/batches", "GET /v1/batches/*", "POST /v1/batches/*/cancel"),
				uploads("POST /v1/files"),
				lacks("POST /v1/completions", "POST /v1/batches", "POST /v1/fine_tuning/jobs", "POST /v1/images/generations", "POST /v1/images/edits", "POST /v1/images/variations",
					"POST /v1/audio/speech", "POST /v1/audio/transcriptions", "POST /v1/audio/translations", "POST /v1/moderations", "POST /v1/responses/compact"),
			),
		},
		{
			name: "azure", providers: []string{"azure", "azure:*"}, baseHint: "the client's endpoint is %s",
			endpoints: slices.Concat(
				[]endpoint{
					computes("POST", "/openai/v1/chat/completions", "openai-chat", "api-version"),
					computes("POST", "/openai/v1/responses", "openai-responses", "api-version"),
					computes("POST", "/openai/v1/embeddings", "openai-embeddings", "api-version"),
					computes("POST", "/openai/responses", "openai-responses", "api-version"),
					computes("POST", "/openai/deployments/*/chat/completions", "openai-chat", "api-version"),
					computes("POST", "/openai/deployments/*/embeddings", "openai-embeddings", "api-version"),
				},
				passes("GET /openai/v1/models", "GET /openai/v1/models/*", "GET /openai/models", "GET /openai/models/*",
					"GET /openai/v1/responses/*", "DELETE /openai/v1/responses/*", "GET /openai/v1/responses/*/input_items"),
				lacks("POST /openai/v1/completions", "POST /openai/deployments/*/completions", "POST /openai/deployments/*/images/generations"),
			),
		},
		{
			name: "anthropic", providers: []string{"anthropic"}, style: anthropicStyle, baseHint: "set ANTHROPIC_BASE_URL to %s, without /v1",
			endpoints: slices.Concat(
				[]endpoint{computes("POST", "/v1/messages", "anthropic-messages", "beta")},
				passes("POST /v1/messages/count_tokens", "GET /v1/models", "GET /v1/models/*", "GET /v1/messages/batches", "GET /v1/messages/batches/*",
					"GET /v1/messages/batches/*/results", "POST /v1/messages/batches/*/cancel", "DELETE /v1/messages/batches/*",
					"GET /v1/files", "GET /v1/files/*", "GET /v1/files/*/content", "DELETE /v1/files/*"),
				uploads("POST /v1/files"),
				lacks("POST /v1/messages/batches", "POST /v1/complete"),
			),
		},
		{
			name: "google", providers: []string{"google"}, style: geminiStyle, baseHint: "set GOOGLE_GEMINI_BASE_URL to %s, without a version",
			endpoints: geminiEndpoints([]string{"/v1", "/v1beta", "/v1alpha"}, []string{"/models/", "/tunedModels/"}, ""),
		},
		{
			name: "vertex", providers: []string{"vertex"}, style: geminiStyle, baseHint: "the client's endpoint is %s",
			endpoints: geminiEndpoints([]string{"/v1", "/v1beta1"}, []string{"/publishers/google/models/", "/endpoints/"}, "/projects/*/locations/*"),
		},
		{
			name: "ollama", providers: []string{"ollama"}, style: ollamaStyle, baseHint: "set OLLAMA_HOST to %s, or OPENAI_BASE_URL to %[1]s/v1",
			endpoints: slices.Concat(
				[]endpoint{computes("POST", "/api/chat", "ollama-chat"), computes("POST", "/v1/chat/completions", "openai-compatible-chat")},
				passes("GET /api/tags", "GET /api/ps", "GET /api/version", "POST /api/show", "GET /v1/models", "GET /v1/models/*"),
				lacks("POST /api/generate", "POST /api/embed", "POST /api/embeddings", "POST /v1/completions", "POST /v1/embeddings", "POST /v1/responses", "POST /v1/messages"),
			),
		},
		{
			name: "others", baseHint: "set OPENAI_BASE_URL to %s/v1",
			endpoints: slices.Concat(
				[]endpoint{computes("POST", "/v1/chat/completions", "openai-compatible-chat")},
				passes("GET /v1/models", "GET /v1/models/*", "GET /health", "GET /version", "POST /tokenize", "POST /detokenize"),
				lacks("POST /v1/completions", "POST /v1/embeddings", "POST /v1/responses", "POST /v1/messages", "POST /completion", "POST /v1/rerank", "POST /v1/score"),
			),
		},
	}
})

// geminiEndpoints are those of every version and place of a model, each verb behind its name.
func geminiEndpoints(versions, places []string, project string) []endpoint {
	l := []endpoint{}
	for _, v := range versions {
		for _, place := range places {
			at := v + project + place
			l = append(l, computes("POST", at+"*:generateContent", "gemini", "alt", "key", "prettyPrint"),
				computes("POST", at+"*:streamGenerateContent", "gemini", "alt", "key", "prettyPrint"))
			l = append(l, passes("POST "+at+"*:countTokens", "GET "+at+"*")...)
			l = append(l, lacks("POST "+at+"*:embedContent", "POST "+at+"*:batchEmbedContents", "POST "+at+"*:batchGenerateContent", "POST "+at+"*:predict")...)
		}
		if project == "" {
			l = append(l, passes("GET "+v+"/models")...)
		}
	}
	return l
}

// protocolOf is the protocol of a provider.
func protocolOf(provider string) *protocol {
	all := protocols()
	for i := range all {
		for _, p := range all[i].providers {
			if prefix, open := strings.CutSuffix(p, "*"); p == provider || open && strings.HasPrefix(provider, prefix) && provider != prefix {
				return &all[i]
			}
		}
	}
	return &all[len(all)-1]
}

// vendors are the providers behind vendors' own hosts.
var vendors = map[string]string{
	"api.openai.com": "openai", "api.anthropic.com": "anthropic", "generativelanguage.googleapis.com": "google", "aiplatform.googleapis.com": "vertex",
}

// match tells whether a method and a path, of plain segments, are those of the endpoint.
func (e *endpoint) match(method, path string) bool {
	if method != e.method {
		return false
	}
	want, got := e.path, path
	for more := true; more; {
		var pattern, segment string
		var moreGot bool
		pattern, want, more = strings.Cut(want, "/")
		segment, got, moreGot = strings.Cut(got, "/")
		if more != moreGot || !matchSegment(pattern, segment) {
			return false
		}
	}
	return true
}

// matchSegment tells whether a segment is a pattern's: the same, or anything and what is behind the *.
func matchSegment(pattern, segment string) bool {
	end, open := strings.CutPrefix(pattern, "*")
	if !open {
		return segment == pattern
	}
	return len(segment) > len(end) && strings.HasSuffix(segment, end) && (end == "" || strings.Count(segment, ":") == 1)
}

// find is the endpoint for a method and a path, or nil. A path with more words of its own goes before one with a *.
func (p *protocol) find(method, path string) *endpoint {
	var found *endpoint
	for i := range p.endpoints {
		e := &p.endpoints[i]
		if e.match(method, path) && (found == nil || wildness(e.path) < wildness(found.path)) {
			found = e
		}
	}
	return found
}

// wildness counts what a pattern leaves open.
func wildness(pattern string) int {
	n := 0
	for segment := range strings.SplitSeq(pattern, "/") {
		if segment == "*" {
			n += 2
		} else if strings.HasPrefix(segment, "*") {
			n++
		}
	}
	return n
}
