package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestTrailers: trailers that are not announced, which net/http finds at the end of a body, do not reach an upstream.
func TestTrailers(t *testing.T) {
	saw := make(chan http.Header, 1)
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		saw <- r.Trailer
	}))
	upstream.EnableHTTP2 = true
	upstream.StartTLS()
	defer upstream.Close()
	w := newWorld(t, func(o *Options) {
		o.Config.Upstreams = []Upstream{{URL: upstream.URL, Provider: "openai"}}
		o.Config.InsecureForwardUndeclared = true
		o.Transport = upstream.Client().Transport
	})
	for path, want := range map[string]string{
		"/v1/chat/completions": trailerRefused.code, "/v1/completions": trailerRefused.code, "/v1/responses/input_tokens": "",
	} {
		_, refusal := w.raw(fmt.Sprintf("POST %s HTTP/1.1\nHost: HOST\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n%x\n%s\n0\nOpenai-Organization: other\nAirun-Key: a\n\n", path, len(chat), chat))
		if refusal != want {
			t.Errorf("%s: refusal %q, want %q", path, refusal, want)
		}
		select {
		case trailer := <-saw:
			if want != "" || len(trailer) > 0 {
				t.Errorf("%s: the upstream got the call, with the trailers %v", path, trailer)
			}
		default:
			if want == "" {
				t.Errorf("%s: the upstream did not get the call", path)
			}
		}
	}
	if n := len(w.journal.all()); n != 0 {
		t.Errorf("%d lines", n)
	}
}
