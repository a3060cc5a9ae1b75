package registry

import (
	"errors"
	"fmt"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/registry/internal/store"
)

// What errors of this package wrap.
var (
	// ErrReference says that a text is not a reference.
	ErrReference = errors.New("not a reference")
	// ErrNotFound says that the repository does not have what was asked for.
	ErrNotFound = store.ErrNotFound
	// ErrNotSubject says that a bundle is not about the artifact that it is to be attached to.
	ErrNotSubject = errors.New("the artifact is not among the statement's subjects")
	// ErrMismatch says that a repository serves something else than what was asked for by digest or identity.
	ErrMismatch = store.ErrMismatch
	// ErrLayout says that a path is not an OCI layout, because it is absent or malformed, or is a layout that cannot be written.
	ErrLayout = store.ErrLayout
)

// MalformedError says that a referrer claims to be an attestation and is none, or is not there.
type MalformedError struct {
	Referrer string // its digest
	Err      error
}

func (e *MalformedError) Error() string {
	if e.Referrer == "" {
		return fmt.Sprintf("a referrer in the list is malformed: %v", e.Err)
	}
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
