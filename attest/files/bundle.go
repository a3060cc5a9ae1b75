package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/zero"
)

var (
	errSeveralBundles = errors.New("holds several bundles, want one")
	errNoBundle       = errors.New("no bundle in it")
)

// A Blob is the text of one bundle, by the name of its file, with the line where that holds several.
type Blob = input.Blob

// OneBundle reads the one bundle in a file, or in stdin for "-"; several are an error, and so is none.
func OneBundle(path string, stdin io.Reader) (*attest.Bundle, error) {
	var found *attest.Bundle
	for blob, err := range input.Bundles(path, stdin) {
		if err == nil && found != nil {
			err = errSeveralBundles
		}
		if err == nil {
			found, err = ParseBundle(blob.Data)
		}
		if err != nil {
			return nil, named(path, err)
		}
	}
	if found == nil {
		return nil, named(path, errNoBundle)
	}
	return found, nil
}

// named says in an error what it is about, unless it begins with that.
func named(path string, err error) error {
	name := input.Name(path)
	if strings.HasPrefix(err.Error(), name) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// NotBundleError says that a text is not a bundle, but text of another kind.
type NotBundleError struct {
	Kind string // "" for text that is not JSON
	mend string
	err  error // of the parser
}

func (e *NotBundleError) Error() string {
	switch e = zero.IfNil(e); {
	case e.Kind != "":
		return "is " + e.Kind + " and no bundle"
	case e.err == nil:
		return "is not a bundle"
	}
	return e.err.Error()
}

// Mending is a hint with a command that makes text of the file, "" for what is text.
func (e *NotBundleError) Mending() string { return zero.IfNil(e).mend }

func (e *NotBundleError) Unwrap() error { return zero.IfNil(e).err }

// IsDeclaration says that it is a declaration, as a pattern such as runs/*.json names both.
func (e *NotBundleError) IsDeclaration() bool { return zero.IfNil(e).Kind == input.KindDeclaration }

// ParseBundle is attest.ParseBundle, with a *NotBundleError for text of another kind.
func ParseBundle(data []byte) (*attest.Bundle, error) {
	b, err := attest.ParseBundle(data)
	return b, ExplainBundle(err, data)
}

// ExplainBundle is why a bundle could not be read from data: a *NotBundleError for text of another kind, and else err.
func ExplainBundle(err error, data []byte) error {
	if err == nil {
		return nil
	}
	kind := Kind(data)
	if kind == input.KindBundle {
		kind = ""
	}
	if kind == "" && !errors.As(err, new(*canonical.Error)) {
		return err
	}
	return &NotBundleError{kind, jsonmend.Mend(data), err}
}

// Bundles gives the bundles in a file, or in stdin for "-", and of a run set the proof of each run, whose name has the run's line.
// An error ends the sequence, unless it is a *runset.LineError about one run that has no proof.
func Bundles(path string, stdin io.Reader) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		s, err := input.OpenSource(path, stdin)
		if err != nil {
			yield(Blob{Name: input.Name(path)}, err)
			return
		}
		defer s.Close() // only read: nothing to lose
		if s.Set == nil {
			s.Bundles()(yield)
			return
		}
		proofs(input.Name(path), s.Set)(yield)
	}
}

func proofs(name string, r io.ReadSeeker) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		set, err := runset.Open(r)
		if err != nil {
			yield(Blob{Name: name}, err)
			return
		}
		line := 1
		for proof, err := range set.Proofs(context.Background()) {
			line++
			blob := Blob{Name: name} // errors name the line
			if err == nil {
				blob.Name = fmt.Sprintf("%s:%d", name, line)
				blob.Data, err = proof.Marshal()
			}
			if !yield(blob, err) {
				return
			}
		}
	}
}

// ErrNotSet says that a file is not a run set.
var ErrNotSet = errors.New("is not a run set")

// OpenSet opens a run set. closeSet closes its file.
func OpenSet(path string, stdin io.Reader) (set *runset.Set, closeSet func() error, err error) {
	s, err := input.OpenSource(path, stdin)
	if err != nil {
		return nil, nil, err
	}
	if err = ErrNotSet; s.Set != nil {
		set, err = runset.Open(s.Set)
	}
	if err != nil {
		return nil, nil, errors.Join(named(path, err), s.Close())
	}
	return set, s.Close, nil
}

// NotBundle explains text that is plainly not a bundle, as ParseBundle does; nil for all other text, which it does not parse.
func NotBundle(data []byte) error {
	if len(data) == 0 || bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) && !bytes.Contains(data, []byte(identity.Schema)) {
		return nil
	}
	_, err := ParseBundle(data)
	return err
}
