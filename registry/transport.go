package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"oras.land/oras-go/v2/registry/remote/retry"
)

// How often a registry that is overloaded or fails is asked again, and how long it may ask
// to be left alone.
const (
	DefaultTimeout = time.Minute
	maxRetries     = 4
	maxWait        = 30 * time.Second
)

// newTransport is how a registry is reached: with a deadline for each answer, retries included.
func newTransport(o Options, retries int) (http.RoundTripper, error) {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("http.DefaultTransport was replaced")
	}
	base = base.Clone()
	base.MaxIdleConnsPerHost = workers
	if o.CA != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(o.CA) {
			return nil, fmt.Errorf("the registry's certificate authority: %w", errNoCertificate)
		}
		base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	again := &retry.Transport{Base: base, Policy: func() retry.Policy {
		return &retry.GenericPolicy{Retryable: retry.DefaultPredicate, Backoff: backoff, MinWait: 50 * time.Millisecond, MaxWait: maxWait, MaxRetry: retries}
	}}
	return &deadline{again, cmp.Or(o.Timeout, DefaultTimeout)}, nil
}

var errNoCertificate = errors.New("no certificate in PEM")

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
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 && seconds < 1<<20 {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// deadline gives each answer so much time, its body included.
type deadline struct {
	http.RoundTripper
	timeout time.Duration
}

func (d *deadline) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), d.timeout)
	resp, err := d.RoundTripper.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &cancelingBody{resp.Body, cancel}
	return resp, nil
}

type cancelingBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *cancelingBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
