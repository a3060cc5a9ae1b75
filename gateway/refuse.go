package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
)

// A kind is a reason for which the gateway refuses a request. docs/gateway.md has the table.
type kind struct {
	code   string
	status int
	when   string
}

// The kinds, in the order of the table.
var (
	hostRefused        = kind{"host_refused", 403, "the Host is missing or is not one of the gateway's"}
	browserRefused     = kind{"browser_refused", 403, "the request has an Origin: it comes from a page in a browser"}
	clientUnknown      = kind{"client_unknown", 401, "the client proves none of the configured names, or the path lacks the URL secret"}
	pathRefused        = kind{"path_refused", 404, "the path has a character or a segment that servers read in different ways"}
	endpointUnknown    = kind{"endpoint_unknown", 404, "the method and path are not on the upstream's list"}
	upgradeRefused     = kind{"upgrade_refused", 404, "the request asks for a WebSocket or another protocol"}
	endpointUndeclared = kind{"endpoint_undeclared", 403, "the endpoint computes, and no capture table declares its requests"}
	queryRefused       = kind{"query_refused", 400, "the query has a member that the endpoint does not name, or one twice"}
	headerRefused      = kind{"header_refused", 400, "a header is the gateway's, overrides the method or the path, is hop-by-hop, malformed or not on the list"}
	trailerRefused     = kind{"trailer_refused", 400, "the request has trailers, announced or not"}
	mediaTypeRefused   = kind{"media_type_refused", 415, "the content type is there and is not application/json in UTF-8"}
	codingRefused      = kind{"coding_refused", 415, "the content coding is not gzip or zstd, there are more than four, or a zstd window is over 8 MiB"}
	bodyTooLarge       = kind{"body_too_large", 413, "the body is over the cap, as sent or decoded"}
	bodyInvalid        = kind{"body_invalid", 400, "the body does not arrive whole, its coding is malformed, or it is empty where no table declares it"}
	captureRefused     = kind{"capture_refused", 400, "the body is malformed or ambiguous, or the table cannot declare it"}
	parentRefused      = kind{"parent_refused", 400, "an Airun-Parent is malformed, or unknown to the journal for this client"}
	policyDenied       = kind{"policy_denied", 403, "the policy denies the run"}
	policyFailed       = kind{"policy_failed", 503, "the policy could not be asked"}
	memoryUsedUp       = kind{"memory_used_up", 503, "the bodies in flight take all the memory that they may"}
	signingFailed      = kind{"signing_failed", 503, "the run could not be signed"}
	journalFailed      = kind{"journal_failed", 503, "the journal could not take the call"}
	upstreamFailed     = kind{"upstream_failed", 502, "the upstream cannot be reached, or gave no answer that can be read"}
	upstreamLoops      = kind{"upstream_loops", 502, "the upstream is the gateway itself"}
	upstreamSilent     = kind{"upstream_silent", 504, "the upstream has the request and did not begin to answer in time (`responseHeaderTimeout`)"}
	upstreamRedirected = kind{"upstream_redirected", 502, "the upstream of an endpoint that computes answered with a redirect"}
)

var kinds = []kind{
	hostRefused, browserRefused, clientUnknown, pathRefused, endpointUnknown, upgradeRefused, endpointUndeclared, queryRefused, headerRefused,
	trailerRefused, mediaTypeRefused, codingRefused, bodyTooLarge, bodyInvalid, captureRefused, parentRefused, policyDenied, policyFailed,
	memoryUsedUp, signingFailed, journalFailed, upstreamFailed, upstreamLoops, upstreamSilent, upstreamRedirected,
}

// A refusal is why a request is not forwarded, or its answer not given.
type refusal struct {
	kind
	message string
}

// refuse makes a refusal. Text of the client is escaped and cut.
func refuse(k kind, format string, args ...any) *refusal {
	return &refusal{k, visible.Cut(visible.OneLine(fmt.Sprintf(format, args...)))}
}

// retries tells whether the same request may have another answer.
func (r *refusal) retries() bool { return r.status == 503 || r.kind == upstreamFailed }

// names are what APIs call the statuses: OpenAI's and Anthropic's types, and Google's codes.
var names = map[int][3]string{
	400: {"invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
	401: {"authentication_error", "authentication_error", "UNAUTHENTICATED"},
	403: {"permission_error", "permission_error", "PERMISSION_DENIED"},
	404: {"not_found_error", "not_found_error", "NOT_FOUND"},
	413: {"invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
	415: {"invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
	502: {"server_error", "api_error", "UNAVAILABLE"},
	503: {"server_error", "overloaded_error", "UNAVAILABLE"},
	504: {"server_error", "timeout_error", "DEADLINE_EXCEEDED"},
}

// body is the refusal in an API's own format.
func (r *refusal) body(s style) []byte {
	message, name := "runattest gateway: "+r.message, names[r.status]
	type object = map[string]any
	var v object
	switch s {
	case anthropicStyle:
		v = object{"type": "error", "error": object{"type": name[1], "message": message}}
	case geminiStyle:
		v = object{"error": object{"code": r.status, "message": message, "status": name[2]}}
	case ollamaStyle:
		v = object{"error": message}
	default:
		v = object{"error": object{"message": message, "type": name[0], "param": nil, "code": r.code}}
	}
	text, _ := json.Marshal(v) // of strings and numbers
	return append(text, '\n')
}

// write answers with the refusal. If the body of the request was not read, it does not read it: drain does.
func (r *refusal) write(w http.ResponseWriter, req *http.Request, s style, unread bool) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Airun-Refusal", r.code)
	if r.retries() {
		h.Set("Retry-After", "1")
	} else {
		h.Set("X-Should-Retry", "false")
	}
	text := r.body(s)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	if unread && bodyWaits(req) && req.ProtoMajor == 1 { // HTTP/2 has a stream for each call
		_ = http.NewResponseController(w).EnableFullDuplex() // else the server reads from the body before it answers
		h.Set("Connection", "close")
	}
	w.WriteHeader(r.status)
	if req.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}

// bodyWaits tells whether there may be a body to read.
func bodyWaits(r *http.Request) bool {
	return r.Body != nil && r.ContentLength != 0
}

// drain reads and drops what is left of a body, for a while: a connection, or a stream of HTTP/2, that is closed with data unread
// is reset, and the client may not see the answer. In HTTP/1 the answer was sent before. In HTTP/2 it is sent behind the body: a
// client that has the head of a refusal sends nothing more, and waits for the rest of the answer. There are many streams on a
// connection: without a known client less is read.
func drain(w http.ResponseWriter, req *http.Request, known bool) {
	if !bodyWaits(req) {
		return
	}
	rc := http.NewResponseController(w)
	if req.ProtoMajor == 1 && rc.Flush() != nil || req.Header.Get("Expect") != "" { // a client that waits to be told to go on needs no more
		return
	}
	most, long := int64(limits.GatewayDrain), limits.GatewayDrainSeconds*time.Second
	if !known {
		most, long = limits.GatewayDrainUnknown, time.Second
	}
	if rc.SetReadDeadline(time.Now().Add(long)) == nil {
		_, _ = io.CopyN(io.Discard, req.Body, most)
	}
}
