package remote

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/registry/internal/store"
)

// failed names the registry in an error, and says what can be done about it.
func (r *Repository) failed(err error) error {
	var known *store.Error
	var refusal *answerError
	var credential *credentialError
	var odd *oddError
	var u *url.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, store.ErrNotFound), errors.As(err, new(*store.DescriptorError)):
		return err
	case errors.As(err, &credential): // before deadlines, which a helper may have missed
		return &store.Error{Target: r.ref.Host, Err: credential, Hint: credential.hint}
	case errors.As(err, &refusal):
		return r.answered(refusal)
	case needsLogin(err):
		text := fmt.Sprintf("%s needs credentials: %s", r.ref.Path, r.source)
		if anonymous := (*anonymousError)(nil); errors.As(err, &anonymous) && !saysNothing(anonymous.said) {
			text += " (the registry says: " + anonymous.said + ")"
		}
		return &store.Error{Target: r.ref.Host, Err: errors.New(text), Hint: r.loginHint()}
	case errors.As(err, &odd):
		failed := &store.Error{Target: r.ref.Host, Err: err}
		if odd.page {
			failed.Hint = "a proxy or a login page answers in the registry's place: check the reference, the network's login and the proxy"
		}
		return failed
	case errors.Is(err, context.DeadlineExceeded):
		failed := &store.Error{Target: r.ref.Host, Err: fmt.Errorf("no answer within %s: %w", r.timeout, context.DeadlineExceeded), Hint: HintTimeout}
		if late, ok := errors.AsType[*tooLateError](err); ok {
			failed.Err = fmt.Errorf("no good answer within %s: %w", r.timeout, late)
		}
		return failed
	case errors.As(err, &u):
		return r.unreachable(u)
	}
	return &store.Error{Target: r.ref.Host, Err: err}
}

// answered says of a refusal what the registry says, and what there is to do in that case.
func (r *Repository) answered(e *answerError) error {
	failed := &store.Error{Target: r.ref.Host, Err: e}
	switch {
	case e.denied() && !e.token && !sameServer(e.url, &url.URL{Scheme: e.url.Scheme, Host: r.repo.Host()}): // where a login at the registry does not help
		failed.Err = &refusedError{fmt.Sprintf("%s, to which it leads for %s, refuses (%s)", e.url.Host, r.ref.Path, e.why()), e}
	case e.denied(), e.status == http.StatusNotFound && e.token:
		what := "access to"
		if e.method != http.MethodGet && e.method != http.MethodHead {
			what = "writing to"
		}
		if e.content != "" {
			what = "reading " + e.content.String() + " from"
		}
		if e.token {
			what = "by the token service " + e.url.Host + " access to"
		}
		failed.Err = &refusedError{fmt.Sprintf("%s %s is refused (%s): %s", what, r.ref.Path, e.why(), r.source), e}
		if hint := r.lackHint(e); hint != "" && e.status != http.StatusUnauthorized {
			failed.Hint = hint
		} else if e.status == http.StatusNotFound && e.token {
			failed.Hint = "the service that the registry names for tokens does not know the repository or the account: check both"
		} else if e.status == http.StatusUnauthorized || !r.source.sent() || saysNothing(e.said) {
			failed.Hint = r.loginHint()
		}
	case e.status == http.StatusNotFound && e.method == http.MethodGet:
		missing := &store.MissingError{Repository: r.ref.String(), What: "it is not there", Said: e.said}
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
	case e.status == http.StatusInsufficientStorage:
		failed.Hint = quotaHint
	case r.lackHint(e) != "":
		failed.Hint = r.lackHint(e)
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

// lackHint is what to do about a refusal for lack of space or money, and not of permission; else "". A repository may be called so, too.
func (r *Repository) lackHint(e *answerError) evidence.Hint {
	words := strings.FieldsFunc(strings.ToLower(e.said), func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("\"'`,;()", c) })
	said := strings.Join(slices.DeleteFunc(words, func(word string) bool { return strings.Contains(word, "/") || word == r.ref.Path }), " ")
	has := func(all ...string) bool {
		return slices.ContainsFunc(all, func(text string) bool { return strings.Contains(said, text) })
	}
	switch {
	case has("quota", "storage limit", "insufficient storage", "out of space"):
		return quotaHint
	case e.status == http.StatusPaymentRequired, has("billing", "payment"):
		return "credentials do not help: see to what the registry says of the account's billing"
	}
	return ""
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

func (r *Repository) loginHint() evidence.Hint {
	return evidence.Hint("log in with " + r.source.login(r.ref.Host))
}

func (r *Repository) plainHint() evidence.Hint {
	if r.insecure {
		return HintHasTLS
	}
	return HintLocalTLS
}

// unreachable says which of the ways to reach a registry did not work.
func (r *Repository) unreachable(u *url.Error) error {
	e := &store.Error{Target: r.ref.Host, Err: u.Err}
	var authority x509.UnknownAuthorityError
	switch {
	case u.Op == "parse":
		e.Err = fmt.Errorf("it leads to what is not a URL, %q: %w", shown(u.URL), u.Err)
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
