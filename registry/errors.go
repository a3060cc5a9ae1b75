package registry

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/runattest/runattest/attest/evidence"
)

// What errors of this package wrap.
var (
	// ErrReference says that a text is not a reference.
	ErrReference = errors.New("not a reference")
	// ErrNotFound says that the repository does not have what was asked for.
	ErrNotFound = errors.New("not found")
	// ErrNotSubject says that a bundle is not about the artifact that it is to be attached to.
	ErrNotSubject = errors.New("the artifact is not among the statement's subjects")
	// ErrMismatch says that a repository serves something else than what was asked for by digest or identity.
	ErrMismatch = errors.New("the repository serves something else")
	// ErrLayout says that a path is not an OCI layout, because it is absent or malformed, or is a layout that cannot be written.
	ErrLayout = errors.New("unusable OCI layout")
)

// missingError is an ErrNotFound that says where there is what not, and what the registry says of it.
type missingError struct{ Repository, What, Said string }

func noSuch(repository, name string) *missingError {
	return &missingError{Repository: repository, What: "no such tag or artifact: " + name}
}

func (e *missingError) Error() string {
	text := e.Repository + ": " + e.What
	if e.Said != "" {
		text += " (the registry says: " + e.Said + ")"
	}
	return text
}
func (e *missingError) Is(target error) bool { return target == ErrNotFound }

// whose is e with what the registry said of cause.
func (e *missingError) whose(cause error) *missingError {
	var missing *missingError
	if errors.As(cause, &missing) {
		e.Said = missing.Said
	}
	return e
}

// MalformedError says that a referrer claims to be an attestation and is none, or is not there.
type MalformedError struct {
	Referrer string // its digest
	Err      error
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("referrer %s is malformed: %v", e.Referrer, e.Err)
}
func (e *MalformedError) Unwrap() error { return e.Err }

// Error says that a registry or a layout failed, or would not do what it was asked.
type Error struct {
	Target string // the registry's host, or the layout's path
	Err    error
	// Hint is what to do about it, where that is known. Those with a constant here can be said in a program's own words.
	Hint evidence.Hint
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Target, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// failed names the registry in an error, and says what can be done about it.
func (r *remoteStore) failed(err error) error {
	var known *Error
	var refusal *answerError
	var credential *credentialError
	var odd *oddError
	var u *url.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, ErrNotFound), errors.As(err, new(*descriptorError)):
		return err
	case errors.As(err, &credential): // before deadlines, which a helper may have missed
		return &Error{Target: r.ref.host, Err: credential, Hint: credential.hint}
	case errors.As(err, &refusal):
		return r.answered(refusal)
	case needsLogin(err):
		text := fmt.Sprintf("%s needs credentials: %s", r.ref.path, r.source)
		if anonymous := (*anonymousError)(nil); errors.As(err, &anonymous) && !saysNothing(anonymous.said) {
			text += " (the registry says: " + anonymous.said + ")"
		}
		return &Error{Target: r.ref.host, Err: errors.New(text), Hint: r.loginHint()}
	case errors.As(err, &odd):
		failed := &Error{Target: r.ref.host, Err: err}
		if odd.page {
			failed.Hint = "a proxy or a login page answers in the registry's place: check the reference, the network's login and the proxy"
		}
		return failed
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Target: r.ref.host, Err: fmt.Errorf("no answer within %s: %w", r.timeout, context.DeadlineExceeded), Hint: HintTimeout}
	case errors.As(err, &u):
		return r.unreachable(u)
	}
	return &Error{Target: r.ref.host, Err: err}
}

// answered says of a refusal what the registry says, and what there is to do in that case.
func (r *remoteStore) answered(e *answerError) error {
	failed := &Error{Target: r.ref.host, Err: e}
	switch {
	case e.status == http.StatusUnauthorized, e.status == http.StatusForbidden:
		what := "access to"
		if e.method != http.MethodGet && e.method != http.MethodHead {
			what = "writing to"
		}
		if e.token {
			what = "by the token service " + e.url.Host + " access to"
		}
		failed.Err = &refusedError{fmt.Sprintf("%s %s is refused (%s): %s", what, r.ref.path, e.why(), r.source), e}
		if isQuota(e.said) && e.status == http.StatusForbidden {
			failed.Hint = quotaHint
		} else if e.status == http.StatusUnauthorized || !r.source.sent() || saysNothing(e.said) {
			failed.Hint = r.loginHint()
		}
	case e.status == http.StatusNotFound && e.method == http.MethodGet:
		missing := &missingError{Repository: r.ref.Repository(), What: "it is not there", Said: e.said}
		if e.has("NAME_UNKNOWN") {
			missing.What = "no such repository"
		}
		if saysNothing(e.said) {
			missing.Said = ""
		}
		return missing
	case e.status == http.StatusNotFound && e.has("NAME_UNKNOWN"):
		failed.Hint = "some registries want a repository or a project to be made before something is pushed to it"
	case e.status == http.StatusTooManyRequests && !r.source.sent():
		failed.Hint = HintBusyAnonymous
	case e.status == http.StatusTooManyRequests, e.status == http.StatusServiceUnavailable:
		failed.Hint = HintBusy
	case e.status == http.StatusInsufficientStorage, isQuota(e.said):
		failed.Hint = quotaHint
	case e.status == http.StatusRequestEntityTooLarge:
		failed.Hint = "the registry, or a proxy before it, takes less at once: its operator can raise the limit"
	case e.status == http.StatusBadGateway, e.status == http.StatusGatewayTimeout:
		failed.Hint = "a proxy answers that does not reach the registry: try again later"
	case e.status == http.StatusProxyAuthRequired:
		failed.Hint = "a proxy wants credentials: set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT"
	case e.status == http.StatusBadRequest && r.plain && (strings.Contains(e.said, "HTTPS") || strings.Contains(e.said, "SSL")):
		failed.Hint = r.plainHint() // as servers with TLS say to plain HTTP
	}
	return failed
}

// refusedError is a refusal in words of ours.
type refusedError struct {
	text  string
	cause error
}

func (e *refusedError) Error() string { return e.text }
func (e *refusedError) Unwrap() error { return e.cause }

// needsLogin tells that the client had no credentials to answer a refusal with.
func needsLogin(err error) bool {
	return errors.Is(err, auth.ErrBasicCredentialNotFound) || strings.Contains(err.Error(), "missing username or password")
}

// anonymousError is a refusal of a request without credentials, with what the registry says of it.
type anonymousError struct {
	said  string
	cause error
}

func (e *anonymousError) Error() string { return e.cause.Error() }
func (e *anonymousError) Unwrap() error { return e.cause }

const quotaHint = "credentials do not help: delete what is not needed there, or have the quota raised"

// isQuota tells a refusal for lack of space or money from one for lack of permission.
func isQuota(said string) bool {
	said = strings.ToLower(said)
	for _, word := range []string{"quota", "storage limit", "insufficient storage", "out of space", "billing", "payment"} {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}

// saysNothing tells what registries say of every refusal from a reason.
func saysNothing(said string) bool {
	for _, word := range strings.FieldsFunc(strings.ToLower(said), func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch word {
		case "access", "requested", "to", "the", "resource", "is", "denied", "unauthorized", "authentication", "authorization", "required", "forbidden",
			"insufficient", "scope", "manifest", "unknown", "not", "found", "page", "name", "error", "request":
		default:
			return false
		}
	}
	return true
}

func (r *remoteStore) loginHint() evidence.Hint {
	if os.Getenv(authFileVariable) != "" {
		return evidence.Hint(fmt.Sprintf("log in with podman login %s, which writes the file that %s names", r.ref.host, authFileVariable))
	}
	return evidence.Hint(fmt.Sprintf("log in with docker login %s, or podman login, oras login, crane auth login", r.ref.host))
}

func (r *remoteStore) plainHint() evidence.Hint {
	if r.insecure {
		return HintHasTLS
	}
	return HintLocalTLS
}

// unreachable says which of the ways to reach a registry did not work.
func (r *remoteStore) unreachable(u *url.Error) error {
	e := &Error{Target: r.ref.host, Err: u.Err}
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(u.Err, io.EOF):
		e.Err = fmt.Errorf("it broke off without an answer: %w", u.Err)
	case errors.As(u.Err, new(*plainError)):
		e.Hint = HintRedirectedHTTP
	case errors.As(u.Err, &authority):
		e.Hint = HintAuthority
	case strings.Contains(u.Err.Error(), "server gave HTTP response to HTTPS client") && !r.insecure:
		e.Hint = HintNoTLS
	case strings.Contains(u.Err.Error(), `malformed HTTP response "\x15\x03`) && r.plain: // an alert of TLS
		e.Hint = r.plainHint()
	}
	return e
}
