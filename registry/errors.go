package registry

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// ErrNotFound says that the repository does not have what was asked for.
var ErrNotFound = errors.New("not found")

// missingError is an ErrNotFound that says where there is what not.
type missingError struct{ Repository, What string }

func noSuch(repository, name string) *missingError {
	return &missingError{repository, "no such tag or artifact: " + name}
}

func (e *missingError) Error() string        { return e.Repository + ": " + e.What }
func (e *missingError) Is(target error) bool { return target == ErrNotFound }

// ErrNotSubject says that a bundle is not about the artifact that it is to be attached to.
var ErrNotSubject = errors.New("the artifact is not among the statement's subjects")

// ErrMismatch says that a repository serves something else than what was asked for by digest
// or identity.
var ErrMismatch = errors.New("the repository serves something else")

// MalformedError says that a referrer claims to be an attestation and is none, or is not there.
type MalformedError struct {
	Referrer string // its digest
	Err      error
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("referrer %s is malformed: %s", e.Referrer, e.Err)
}
func (e *MalformedError) Unwrap() error { return e.Err }

// Error says that a registry or a layout failed, or would not do what it was asked.
type Error struct {
	Target string // the registry's host, or the layout's path
	Err    error
	// Hint is what to do about it, where that is known.
	Hint string
}

func (e *Error) Error() string { return e.Target + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// failed wraps what oras says, in this package's terms.
func (r *remoteStore) failed(err error) error {
	var known *Error
	var answer *errcode.ErrorResponse
	var u *url.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, ErrNotFound):
		return err
	case errors.Is(err, errdef.ErrNotFound):
		return fmt.Errorf("%s: %w", r.ref.Repository(), ErrNotFound)
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden),
		errors.Is(err, auth.ErrBasicCredentialNotFound), strings.Contains(err.Error(), "failed to resolve credential"),
		strings.Contains(err.Error(), "missing username or password"):
		return r.refused(err, answer)
	case errors.As(err, &answer) && hasCode(answer, errcode.ErrorCodeNameUnknown, errcode.ErrorCodeManifestUnknown):
		return fmt.Errorf("%s: %w", r.ref.Repository(), ErrNotFound)
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData),
		strings.Contains(err.Error(), "mismatch"): // as oras says of headers, without a type
		return &Error{Target: r.ref.host, Err: fmt.Errorf("%w: %w", ErrMismatch, err)}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Target: r.ref.host, Err: fmt.Errorf("no answer within %s: %w", r.timeout, context.DeadlineExceeded), Hint: "--timeout gives it longer"}
	case errors.As(err, &u):
		return r.unreachable(u)
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable):
		return &Error{Target: r.ref.host, Err: err, Hint: "it is too busy: try again later, or with a longer --timeout"}
	case errors.As(err, &answer) && answer.StatusCode == http.StatusBadRequest && len(answer.Errors) == 0 && r.repo.PlainHTTP:
		return &Error{Target: r.ref.host, Err: err, Hint: plainHint} // as a server with TLS says
	}
	return &Error{Target: r.ref.host, Err: err}
}

const plainHint = "it was asked in plain HTTP, as registries on this machine are; --registry-ca FILE makes it HTTPS"

// unreachable says which of the ways to reach a registry did not work.
func (r *remoteStore) unreachable(u *url.Error) error {
	e := &Error{Target: r.ref.host, Err: u.Err}
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(u.Err, io.EOF):
		e.Err = fmt.Errorf("it broke off without an answer: %w", u.Err)
	case errors.As(u.Err, new(*plainError)):
		e.Hint = "--insecure-http allows it"
	case errors.As(u.Err, &authority):
		e.Hint = "--registry-ca FILE names the authority of a private registry"
	case strings.Contains(u.Err.Error(), "server gave HTTP response to HTTPS client"):
		e.Hint = "--insecure-http talks plain HTTP to a registry that has no TLS"
	case strings.Contains(u.Err.Error(), "malformed HTTP response") && r.repo.PlainHTTP:
		e.Hint = plainHint
	}
	return e
}

// refused says whose credentials did not do.
func (r *remoteStore) refused(err error, answer *errcode.ErrorResponse) error {
	why := err
	if answer != nil {
		why = fmt.Errorf("access to %s is refused (%d %s)", r.ref.path, answer.StatusCode, http.StatusText(answer.StatusCode))
	} else if errors.Is(err, auth.ErrBasicCredentialNotFound) {
		why = fmt.Errorf("access to %s needs credentials", r.ref.path)
	}
	return &Error{
		Target: r.ref.host,
		Err:    fmt.Errorf("%w: %s", why, r.source),
		Hint:   fmt.Sprintf("log in with docker login %s, or oras login, crane auth login: they write the same file", r.ref.host),
	}
}

func hasCode(answer *errcode.ErrorResponse, codes ...string) bool {
	for _, e := range answer.Errors {
		for _, code := range codes {
			if e.Code == code {
				return true
			}
		}
	}
	return false
}
