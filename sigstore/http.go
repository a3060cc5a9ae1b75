package sigstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
)

// DefaultTimeout is how long services have to answer, retries included.
const DefaultTimeout = 30 * time.Second

const (
	retries   = 3
	retryWait = 250 * time.Millisecond
	retryMost = 4 * time.Second
)

// ServiceError says that a service did not do what was asked of it.
type ServiceError struct {
	Service string // "certificate authority", "timestamp authority", "transparency log"
	URL     string
	Err     error
}

func (e *ServiceError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Service, secrets.Shown(e.URL), cause(e.Err))
}

func (e *ServiceError) Unwrap() error { return e.Err }

// cause leaves out what net/http says about method and URL, which the service's error has said.
func cause(err error) error {
	var u *url.Error
	var late *tooLate
	switch {
	case errors.As(err, &late):
		return late
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &u):
		return cause(u.Err)
	}
	return err
}

// statusError is a failure status that another attempt would not change.
type statusError struct {
	status string
	text   string
}

func (e *statusError) Error() string {
	if e.text == "" {
		return "answered " + e.status
	}
	return "answered " + e.status + ": " + e.text
}

// tooLate is a deadline that came while a service that had failed was waited for.
type tooLate struct{ failed error }

func (e *tooLate) Error() string { return fmt.Sprintf("no good answer in time: %s", cause(e.failed)) }

func (e *tooLate) Unwrap() error { return context.DeadlineExceeded }

// newClient is a client for one service. Each of its requests ends with ctx, is tried again when
// the service is overloaded, fails or drops the connection, and gives a whole answer or an
// error: services are asked through libraries that do not see to all of that.
func newClient(ctx context.Context) *http.Client {
	return &http.Client{Transport: retrying{ctx}}
}

type retrying struct{ ctx context.Context }

func (t retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	request, err := retryablehttp.FromRequest(r.WithContext(t.ctx))
	if err != nil {
		return nil, err
	}
	var failed error
	response, err := newRetry(&failed).Do(request)
	if failed != nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, &tooLate{failed}
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 2 || response.StatusCode == http.StatusConflict { // the logs' word for "there already"
		return response, nil
	}
	defer response.Body.Close()
	status := response.Status
	if to := response.Header.Get("Location"); response.StatusCode/100 == 3 {
		return nil, &statusError{status, fmt.Sprintf("redirects are not followed; it is at %q", to)}
	}
	body, _ := io.ReadAll(response.Body)
	return nil, &statusError{status, errorText(body)}
}

// newRetry sends one request, and notes the last failure that made it send it again.
func newRetry(failed *error) *retryablehttp.Client {
	retry := retryablehttp.NewClient()
	retry.Logger = nil
	retry.RetryMax, retry.RetryWaitMin, retry.RetryWaitMax = retries, retryWait, retryMost
	retry.CheckRetry = func(ctx context.Context, response *http.Response, err error) (bool, error) {
		if final := (*statusError)(nil); errors.As(err, &final) {
			return false, err
		}
		again, end := retryablehttp.DefaultRetryPolicy(ctx, response, err)
		switch {
		case again && err != nil:
			*failed = err
		case again && response != nil:
			*failed = &statusError{status: response.Status}
		}
		return again, end
	}
	retry.ErrorHandler = retryablehttp.PassthroughErrorHandler
	retry.HTTPClient = &http.Client{
		Transport:     wholeAnswers{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return retry
}

// errorText is what a service says about its refusal, in one line.
func errorText(body []byte) string {
	var said struct{ Message string }
	text := string(body)
	if json.Unmarshal(body, &said) == nil && said.Message != "" {
		text = said.Message
	}
	const most = 300
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// wholeAnswers reads an answer to its end, so that one which is cut off is an error that is
// tried again.
type wholeAnswers struct{ http.RoundTripper }

func (t wholeAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, limits.ServiceAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer breaks off: %w", err)
	case len(body) > limits.ServiceAnswer:
		return nil, &statusError{response.Status, fmt.Sprintf("the answer is longer than %d bytes", limits.ServiceAnswer)}
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind == "text/html" {
		if response.StatusCode/100 == 2 {
			return nil, &statusError{response.Status, "the answer is a page of HTML: is the URL that of the service?"}
		}
		body = nil
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// checkURL refuses text that is not the URL of a service. A secret goes over TLS, or to this machine.
func checkURL(text string, secret bool) error {
	u, err := url.Parse(text)
	shown, _, ok := secrets.URL(text, false)
	if at := strings.LastIndexByte(shown, '@'); at >= 0 && (err != nil || u.Host == "") { // a login, wherever it stands
		shown = secrets.Mark + shown[at:]
	}
	if !ok {
		shown = secrets.Mark
	}
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q: want a URL, https://HOST", shown)
	case u.User != nil:
		return fmt.Errorf("%q: want a URL without a user name", shown)
	case secret && u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fmt.Errorf("%q: want https: an identity token is sent there", shown)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
