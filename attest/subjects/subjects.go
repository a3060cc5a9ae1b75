// Package subjects names artifacts as the subjects of statements: files by their SHA-256, each subject once.
package subjects

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/zero"
)

// A List is subjects, each with what named it. The zero value is empty.
type List struct {
	all  []attest.Subject
	from []string
}

// SameError says that two names are one subject: files of one name and content in two folders, or what was named twice.
type SameError struct {
	A, B    string
	Subject attest.Subject
}

func (e *SameError) Error() string {
	e = zero.IfNil(e)
	return fmt.Sprintf("%s and %s are the same subject: both have the name %s and the SHA-256 %x", e.A, e.B, e.Subject.Name, e.Subject.SHA256)
}

// Add adds a subject by what named it. One that is there already is a *SameError.
func (l *List) Add(from string, s attest.Subject) error {
	if l == nil {
		return errors.New("no list of subjects: it is nil")
	}
	if i := slices.Index(l.all, s); i >= 0 {
		return &SameError{l.from[i], from, s}
	}
	l.all, l.from = append(l.all, s), append(l.from, from)
	return nil
}

// AddOnce is Add, except that a subject that is there already is left as it is, and is not an error: an artifact may be given by
// several of its tags, which all give one subject.
func (l *List) AddOnce(from string, s attest.Subject) error {
	err := l.Add(from, s)
	if _, same := errors.AsType[*SameError](err); same {
		return nil
	}
	return err
}

// AddAll adds subjects, each by the name at its index.
func (l *List) AddAll(from []string, all []attest.Subject) error {
	if len(from) != len(all) {
		return fmt.Errorf("%d names of %d subjects", len(from), len(all))
	}
	for i, s := range all {
		if err := l.Add(from[i], s); err != nil {
			return err
		}
	}
	return nil
}

// All are the subjects in the order in which they were added.
func (l *List) All() []attest.Subject { return slices.Clone(zero.IfNil(l).all) }

// HashFiles are files as subjects, named by their base names. What is hashed is written to progress, too, if it is not nil.
func HashFiles(progress io.Writer, paths ...string) ([]attest.Subject, error) {
	if progress == nil {
		progress = io.Discard
	}
	var all []attest.Subject
	for _, path := range paths {
		s, err := hashFile(path, progress)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func hashFile(path string, progress io.Writer) (attest.Subject, error) {
	f, err := boundedfile.Open(path)
	if err != nil {
		return attest.Subject{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(h, progress), f); err != nil {
		return attest.Subject{}, err
	}
	s := attest.Subject{Name: filepath.Base(path)}
	h.Sum(s.SHA256[:0])
	return s, nil
}
