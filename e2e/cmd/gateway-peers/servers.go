//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

// The upstream's answer, of 956 bytes or nearly, and the chunks of its streams.
var (
	canned = answer("chat.completion", `"message":{"role":"assistant","content":"`+text(690)+`"},"finish_reason":"stop"`)
	chunk  = answer("chat.completion.chunk", `"delta":{"role":"assistant","content":"word "},"finish_reason":null`)
)

const (
	chunks     = 100
	chunkEvery = 2 * time.Millisecond
)

func answer(object, choice string) string {
	return fmt.Sprintf(`{"id":"chatcmpl-1","object":%q,"created":1700000000,"model":"gpt-4.1","choices":[{"index":0,%s}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`, object, choice)
}

// text is n bytes of words.
func text(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "words "[i%6]
	}
	return string(b)
}

// serveUpstream stands in for a model API.
func serveUpstream(port int) error {
	return http.ListenAndServe(at(port), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // smg asks for the models
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"gpt-4.1","object":"model","created":1700000000,"owned_by":"bench"}]}`)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client left
		}
		tail := body[max(0, len(body)-200):] // where the load generator says what it wants
		var asked struct{ Stream bool }
		if len(body) < 10_000 {
			tail = body
		}
		if json.Unmarshal(tail, &asked) != nil || !asked.Stream {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(canned)))
			_, _ = io.WriteString(w, canned)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for range chunks {
			fmt.Fprintf(w, "data: %s\n\n", chunk)
			w.(http.Flusher).Flush()
			time.Sleep(chunkEvery)
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
}

// ended gives the end of a body for as long as it is asked: net/http's server closes the body when the answer begins, and without
// this its transport, which asks again, now and then takes that for an error and cuts the answer off.
type ended struct {
	io.ReadCloser
	seen bool
}

func (e *ended) Read(p []byte) (n int, err error) {
	if e.seen {
		return 0, io.EOF
	}
	n, err = e.ReadCloser.Read(p)
	e.seen = err == io.EOF
	return n, err
}

// serveBare is Go's reverse proxy with nothing besides.
func serveBare(port int, to string) error {
	target, err := url.Parse(to)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.MaxIdleConns, transport.MaxIdleConnsPerHost, transport.DisableCompression = nil, 1000, 1000, true
	return http.ListenAndServe(at(port), &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Body = &ended{ReadCloser: r.Out.Body}
		},
		FlushInterval: -1, Transport: transport,
	})
}

func at(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort is one that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", at(0))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
