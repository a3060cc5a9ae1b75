package store

import (
	"errors"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest/evidence"
)

// Package registry exports these errors, and Error as a type of its own, and documents them.
var (
	ErrNotFound = errors.New("not found")
	ErrMismatch = errors.New("the repository serves something else")
	ErrLayout   = errors.New("unusable OCI layout")
)

// Error says that a registry or a layout failed, or would not do what it was asked.
type Error struct {
	Target string // the registry's host, or the layout's path
	Err    error
	Hint   evidence.Hint
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Target, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// MissingError is an ErrNotFound that says where there is what not, and what the registry says of it.
type MissingError struct{ Repository, What, Said string }

// NoSuch is the error for a tag or digest that is not in the repository.
func NoSuch(repository, name string) *MissingError {
	return &MissingError{Repository: repository, What: "no such tag or artifact: " + name}
}

func (e *MissingError) Error() string {
	text := e.Repository + ": " + e.What
	if e.Said != "" {
		text += " (the registry says: " + e.Said + ")"
	}
	return text
}

// Is makes it an ErrNotFound.
func (e *MissingError) Is(target error) bool { return target == ErrNotFound }

// Because returns e with what the registry said of cause.
func (e *MissingError) Because(cause error) *MissingError {
	var missing *MissingError
	if errors.As(cause, &missing) {
		e.Said = missing.Said
	}
	return e
}

// DescriptorError says that what a descriptor names is not to be fetched.
type DescriptorError struct {
	Text  string
	There bool // content of that digest is there, and is not as described
}

func (e *DescriptorError) Error() string { return e.Text }

// WrongDescriptor is about content that is there, and is not what a descriptor says.
func WrongDescriptor(said, there ocispec.Descriptor) error {
	if said.Size != there.Size {
		return &DescriptorError{fmt.Sprintf("%s has %d bytes, and is said to have %d", said.Digest, there.Size, said.Size), true}
	}
	return &DescriptorError{fmt.Sprintf("%s is of media type %q, and is said to be of %q", said.Digest, there.MediaType, said.MediaType), true}
}

// IsSpoilt says that an error is about content that is not what it should be, so that other content can be read.
func IsSpoilt(err error) bool {
	return errors.Is(err, ErrMismatch) || errors.Is(err, io.ErrUnexpectedEOF)
}
