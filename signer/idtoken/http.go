package idtoken

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// passing is a fault that may be gone at the next attempt.
type passing struct {
	error
	after time.Duration // that the server asks for
}

func (p *passing) Unwrap() error { return p.error }

// try calls f until it succeeds, fails permanently, or patience ends.
func (p patience) try(ctx context.Context, f func(context.Context) error) error {
	var last error // of an attempt that may be made again
	for i := 0; ; i++ {
		attempt, cancel := context.WithTimeout(ctx, p.attempt)
		err := f(attempt)
		late := attempt.Err() != nil || errors.Is(err, context.DeadlineExceeded)
		cancel()
		var again *passing
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ended(ctx, last)
		case !errors.As(err, &again):
			return err
		case late:
			err = fmt.Errorf("no answer within %v", p.attempt)
		}
		if i == len(p.waits) {
			return fmt.Errorf("%w, after %d attempts", err, i+1)
		}
		last = err
		wait := max(p.waits[i], again.after)
		select {
		case <-ctx.Done():
			return ended(ctx, last)
		case <-time.After(wait + rand.N(wait/4+1)): // spreads the retries of a pipeline's jobs
		}
	}
}

// ended says why no attempt is made any more, and what the last one came to.
func ended(ctx context.Context, last error) error {
	if last == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	return fmt.Errorf("%w; before that: %w", ctx.Err(), last)
}

// transport holds the rules for every request: its hosts, its attempts, the size of its answer.
type transport struct {
	ctx       context.Context // ends all requests: a library may forget to
	patience  patience
	base      *http.Transport
	plainHost string // the only host that may be asked over http, and without a proxy
}

var _ http.RoundTripper = (*transport)(nil)

// client makes a client for one token.
func (m machine) client(ctx context.Context) *http.Client { return newClient(ctx, m.patience) }

func newClient(ctx context.Context, p patience) *http.Client {
	base := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DisableKeepAlives: true, // a client gets one token, and leaves nothing open
		Protocols:         new(http.Protocols),
	}
	base.Protocols.SetHTTP1(true) // GitHub's answer to HTTP/2 is, at times, HTTP_1_1_REQUIRED
	return &http.Client{
		Transport: &transport{ctx: ctx, patience: p, base: base},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			from := via[0].URL
			switch {
			case req.URL.Host != from.Host || req.URL.Scheme != from.Scheme:
				return fmt.Errorf("%s: redirects to %s://%s, another host or scheme", from.Host, req.URL.Scheme, printable(req.URL.Host))
			case len(via) > maxRedirects:
				return fmt.Errorf("%s: more than %d redirects", from.Host, maxRedirects)
			}
			return nil
		},
	}
}

func (t *transport) meetsOverHTTP(host string) {
	t.plainHost = host
	t.base.Proxy = nil // the server identifies a machine by the request's source address
}

// checkURL refuses URLs that would carry secrets over a network unencrypted.
func checkURL(u *url.URL, plainHost string) error {
	switch {
	case u.Host == "":
		return errors.New("no host, want https://HOST")
	case u.Scheme == "https", u.Scheme == "http" && (u.Host == plainHost || isLoopback(u.Hostname())):
		return nil
	}
	return fmt.Errorf("%s://%s: want https", u.Scheme, printable(u.Host))
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := checkURL(req.URL, t.plainHost); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	var resp *http.Response
	err := t.patience.try(ctx, func(ctx context.Context) (err error) {
		resp, err = t.once(ctx, req)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.URL.Host, err)
	}
	return resp, nil
}

// once is one attempt, with the answer's body read.
func (t *transport) once(ctx context.Context, req *http.Request) (*http.Response, error) {
	req = req.Clone(ctx)
	if req.GetBody != nil {
		var err error
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	resp, err := t.base.RoundTrip(req)
	if cert := (*tls.CertificateVerificationError)(nil); errors.As(err, &cert) {
		return nil, err
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op // without the address, which the message names already
	}
	if err != nil {
		return nil, &passing{error: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("answers with more than %d bytes", maxAnswer)
	}
	if err != nil {
		return nil, &passing{error: fmt.Errorf("the answer was cut short: %w", err)}
	}
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		return nil, &passing{error: newStatusError(req, resp, body), after: retryAfter(resp)}
	}
	switch page := isPage(resp.Header, body); {
	case page && resp.StatusCode >= 400:
		return nil, newStatusError(req, resp, body)
	case page && resp.StatusCode < 300:
		return nil, errors.New("answers with a web page; look for a proxy or a login in between, or for a wrong address")
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// retryAfter returns the delay that a server asks for in seconds; a date is ignored.
func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxWait)
}

func isPage(header http.Header, body []byte) bool {
	return strings.HasPrefix(header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// statusError is an answer with an HTTP status of failure.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

func newStatusError(req *http.Request, resp *http.Response, body []byte) *statusError {
	said := "a web page"
	if !isPage(resp.Header, body) {
		_, secret, _ := strings.Cut(req.Header.Get("Authorization"), " ")
		said = printable(string(body), secret)
	}
	text := fmt.Sprintf("answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	if said != "" {
		text += ": " + said
	}
	return &statusError{resp.StatusCode, text}
}

// fetch is the body of an answer that is 200.
func fetch(client *http.Client, req *http.Request) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		if ue := (*url.Error)(nil); errors.As(err, &ue) {
			err = ue.Err // without the URL, whose query may hold a secret
		}
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %w", req.URL.Host, newStatusError(req, resp, body))
	}
	return body, nil
}
