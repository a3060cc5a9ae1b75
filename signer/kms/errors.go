package kms

import (
	"fmt"
	"slices"
)

// Error says that a plugin did not do what it was asked: it failed, reported an error, took
// too long, or gave a wrong answer.
type Error struct {
	Program string // sigstore-kms-NAME
	Err     error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Program, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// MissingError says that there is no plugin for a reference. It unwraps to the error of the
// PATH search, usually exec.ErrNotFound.
type MissingError struct {
	Program string
	Err     error
	name    string
}

func (e *MissingError) Error() string { return fmt.Sprintf("no program %s on PATH", e.Program) }
func (e *MissingError) Unwrap() error { return e.Err }

// Hint returns what to install.
func (e *MissingError) Hint() string {
	if slices.Contains(ours, e.name) {
		return "go install github.com/runattest/runattest/plugins/cmd/" + e.Program + "@latest"
	}
	return fmt.Sprintf("keys %s://... need a KMS plugin of that name; a key without one is a file or env://NAME", e.name)
}
