package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/runattest/runattest/internal/certfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry/internal/store"
	"github.com/runattest/runattest/signer"
)

// maxRetries is how often a registry that is overloaded or fails is asked again.
const maxRetries = 4

// newTransport is how a registry is reached: what may pass is asked again, and plain HTTP is spoken only where the
// registry itself is asked in it.
func newTransport(ref Name, o Options, retries int) (http.RoundTripper, error) {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("http.DefaultTransport was replaced")
	}
	base = base.Clone()
	base.MaxIdleConnsPerHost = store.Workers
	base.MaxResponseHeaderBytes = limits.RegistryHeader
	if o.CA != nil {
		pool, err := certfile.Pool(o.CA, signer.CheckKey)
		if err != nil {
			return nil, fmt.Errorf("the registry's certificate authority: %w", err)
		}
		base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, VerifyConnection: certfile.KeysOf(signer.CheckKey)}
	}
	again := &retrying{base, o.Timeout, retries}
	if o.InsecureHTTP {
		return again, nil
	}
	return &plainGuard{again, ref.isPlain(o)}, nil
}

// retrying sends a request again where that may help.
type retrying struct {
	http.RoundTripper
	timeout time.Duration
	retries int
}

func (t *retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	var last *answerError
	retryable := func(resp *http.Response, err error) (bool, error) {
		if wait, ok := retryAfter(resp); ok && wait > t.timeout { // there is no use in waiting
			return false, nil
		}
		again, err := retry.DefaultPredicate(resp, err)
		if again && resp != nil {
			last = &answerError{method: req.Method, url: req.URL, status: resp.StatusCode}
		}
		return again, err
	}
	again := &retry.Transport{Base: t.RoundTripper, Policy: func() retry.Policy {
		return &retry.GenericPolicy{Retryable: retryable, Backoff: backoff, MinWait: 50 * time.Millisecond, MaxWait: t.timeout, MaxRetry: t.retries}
	}}
	resp, err := again.RoundTrip(req)
	if last != nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, &tooLateError{last}
	}
	return resp, err
}

// tooLateError says that the time ended while a registry that had failed was asked again.
type tooLateError struct{ last *answerError }

func (e *tooLateError) Error() string { return "the last answer was " + e.last.Error() }

func (e *tooLateError) Unwrap() error { return context.DeadlineExceeded }

// plainGuard refuses plain HTTP, which a registry may lead to by a redirect or the address of its token
// service; a registry on this machine may lead to this machine.
type plainGuard struct {
	http.RoundTripper
	here bool
}

type plainError struct{ host string }

func (e *plainError) Error() string {
	return "it leads to plain HTTP at " + e.host + ", which is refused"
}

func (g *plainGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "https" || g.here && isLoopback(req.URL.Hostname()) {
		return g.RoundTripper.RoundTrip(req)
	}
	if req.Body != nil {
		req.Body.Close()
	}
	return nil, &plainError{req.URL.Host}
}

// backoff waits as long as the registry asks for, and else ever longer.
func backoff(attempt int, resp *http.Response) time.Duration {
	if wait, ok := retryAfter(resp); ok {
		return wait
	}
	return retry.ExponentialBackoff(200*time.Millisecond, 2, 0.2)(attempt, nil)
}

// retryAfter is how long a registry asks to be left alone (RFC 9110, section 10.2.3).
func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp == nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	after := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(after, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, 1<<32)) * time.Second, true
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}
