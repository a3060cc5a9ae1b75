package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

// newTransport is how upstreams are reached. It never asks again by itself. A call's patience bounds how long it waits for an answer.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 1 << 20,
		WriteBufferSize:    2 * limits.GatewayAtOnce, // of a short body with its headers
		DisableCompression: true,                     // an answer is not decoded on its way
		HTTP2:              &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}

var (
	errRedirected = errors.New("the upstream redirects")
	errNoStatus   = errors.New("the upstream has a status below 100")
)

// forward sends the call to its upstream and streams the answer back.
func (g *Gateway) forward(w http.ResponseWriter, c *call) *refusal {
	ctx, cancel := context.WithCancelCause(c.r.Context())
	defer cancel(nil)
	limit := newPatience(c.route.up.patience, func() { cancel(errSilent) })
	defer limit.end()
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	in := c.r.WithContext(httptrace.WithClientTrace(ctx, trace))
	in.Trailer = nil // nothing that comes behind a body was checked
	from := g.arrive(w, c.r)
	var atOnce *bytes.Reader // a short body, which the transport writes with the headers because it knows the type
	if c.route.endpoint.does == passed {
		if c.r.ContentLength != 0 {
			in.Body = from
		}
	} else if in.ContentLength, in.TransferEncoding, in.GetBody = int64(len(c.body)), nil, nil; len(c.body) <= limits.GatewayAtOnce {
		atOnce = bytes.NewReader(c.body)
		in.Body = io.NopCloser(atOnce)
		c.share.keep(in.ContentLength)
	} else {
		in.Body = &sending{left: c.body, share: c.share}
	}
	c.body = nil // while the answer streams it is not held, unless the transport does
	in.Body = &counted{in.Body, limit}
	var no *refusal
	proxy := &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			g.rewrite(pr.Out, c)
			if atOnce != nil {
				pr.Out.Body = io.NopCloser(atOnce)
			}
		},
		Transport:     g.transport,
		FlushInterval: -1, // streams of any media type pass at once
		ErrorLog:      log.New(io.Discard, "", 0),
		BufferPool:    &g.buffers,
		ModifyResponse: func(res *http.Response) error {
			limit.end()
			return c.modify(res)
		},
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) {
			switch {
			case c.route.endpoint.does == passed && c.r.ContentLength != 0 && !from.whole.Load() && c.r.Context().Err() != nil: // a deadline that passes ends the context
				no = refuse(bodyInvalid, "the body did not arrive whole")
			case errors.Is(err, errRedirected):
				no = refuse(upstreamRedirected, "the upstream answered with a redirect, which would lead past the gateway")
			case errors.Is(context.Cause(ctx), errSilent):
				no = refuse(upstreamSilent, "the upstream %s has the request and did not begin to answer in %s; it may have executed it", c.route.up.name(), c.route.up.patience)
			case errors.Is(err, ErrOwnUpstream):
				no = refuse(upstreamLoops, "the upstream %s is this gateway", c.route.up.name())
			case !sent.Load():
				no = refuse(upstreamFailed, "the upstream %s cannot be reached", c.route.up.name())
			default:
				no = refuse(upstreamFailed, "the upstream %s gave no answer that can be read; it may have executed the request", c.route.up.name())
			}
		},
	}
	proxy.ServeHTTP(answer{w}, in)
	return no
}

// name is how the upstream stands in messages: by what clients know of it.
func (u *upstream) name() string { return u.Prefix + "/ (" + u.Provider + ")" }

// rewrite makes the request to the upstream.
func (g *Gateway) rewrite(out *http.Request, c *call) {
	to := c.route.up.url
	path := to.Path + c.route.path
	out.URL = &url.URL{Scheme: to.Scheme, Host: to.Host, Path: path, RawPath: path, RawQuery: c.route.query}
	out.Host = ""
	lines := slices.Clone(out.Header.Values("Baggage"))
	removeOurs(out.Header)
	out.Header.Del("Expect")
	if !c.route.up.Identity {
		return
	}
	if !c.id.IsZero() {
		out.Header.Set(headerIdentity, c.id.String())
	}
	out.Header.Del("Baggage")
	if with := baggageWith(lines, c.id); with != "" {
		out.Header.Set("Baggage", with)
	}
}

// modify makes the upstream's answer the gateway's.
func (c *call) modify(res *http.Response) error {
	if c.route.endpoint.does != passed && res.StatusCode >= 300 && res.StatusCode < 400 {
		return errRedirected
	}
	if res.StatusCode < 100 { // with which net/http panics
		return errNoStatus
	}
	removeOurs(res.Header)
	removeOurs(res.Trailer)
	res.Body = &answerBody{res.Body, res}
	c.setHeaders(res.Header)
	return nil
}

// setHeaders says which run the answer belongs to, and where its line is.
func (c *call) setHeaders(h http.Header) {
	if !c.id.IsZero() {
		h.Set(headerIdentity, c.id.String())
	}
	if c.receipt != "" {
		h.Set(headerJournal, c.receipt)
	}
}

// answerBody takes the gateway's names out of the trailers when they are there: at the end of the body.
type answerBody struct {
	io.ReadCloser
	of *http.Response
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		removeOurs(b.of.Trailer)
	}
	return n, err
}

func (b *answerBody) Close() error {
	err := b.ReadCloser.Close()
	removeOurs(b.of.Trailer)
	return err
}

// answer takes the gateway's names out of informational answers (1xx).
type answer struct{ http.ResponseWriter }

func (a answer) WriteHeader(status int) {
	if status < 200 {
		removeOurs(a.Header())
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// buffers are for answers on their way.
type buffers struct{ pool sync.Pool }

var _ httputil.BufferPool = (*buffers)(nil)

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, limits.GatewayBuffer)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
