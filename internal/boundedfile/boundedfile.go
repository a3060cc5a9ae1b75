// Package boundedfile reads files whole, up to a size.
package boundedfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// ErrInput marks unusable input: too large, empty, a folder.
var ErrInput = errors.New("unusable input")

// ErrFolder is that a folder was given for a file. It wraps ErrInput.
var ErrFolder error = &inputError{"is a folder, want a file"}

// inputError is an ErrInput with its own text.
type inputError struct{ text string }

func (e *inputError) Error() string        { return e.text }
func (e *inputError) Is(target error) bool { return target == ErrInput }

// Open opens a file to read; a folder, an empty name and one with NUL are errors that wrap ErrInput.
func Open(path string) (*os.File, error) {
	if path == "" { // as an unset shell variable makes it
		return nil, &inputError{"a file's name is empty"}
	}
	if strings.IndexByte(path, 0) >= 0 { // which no system has in a name
		return nil, &inputError{fmt.Sprintf("%q: a file's name has no NUL", path)}
	}
	f, err := os.Open(path)
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = fmt.Errorf("%s: %w", path, pe.Err) // the path is named once, and first
			if path == "-" {
				err = fmt.Errorf("%w: standard input is not read for it", err)
			}
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s: %w", path, ErrFolder)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Read reads the file at path, at most limit bytes. A larger file, an empty one and a
// folder are errors that wrap ErrInput; Read never holds more than limit+1 bytes.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadFrom(f, path, limit)
}

// ReadRegular is Read for a file that another file names, or that a search found. A pipe or a device in its place does not
// block the caller: it is an error that wraps ErrInput.
func ReadRegular(path string, limit int64) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil, &inputError{path + ": not a regular file"}
	}
	return Read(path, limit) // which says what else is wrong with it
}

// ReadFrom is Read for an open file or standard input; name stands in its errors.
func ReadFrom(r io.Reader, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case int64(len(data)) > limit:
		return nil, TooLarge(name, limit)
	case len(data) == 0:
		return nil, Empty(name)
	}
	return data, nil
}

// Empty says that there is nothing in name.
func Empty(name string) error { return &inputError{name + ": is empty"} }

// TooLarge says that name holds more than limit bytes.
func TooLarge(name string, limit int64) error { return &TooLargeError{name, limit} }

// TooLargeError is that a file or a stream holds more bytes than the limit for what it is to be. It wraps ErrInput.
type TooLargeError struct {
	Name  string
	Limit int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: larger than %d bytes", e.Name, e.Limit)
}

// Is says that the error is an ErrInput.
func (e *TooLargeError) Is(target error) bool { return target == ErrInput }
