package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// Subject is a subject of a Statement: a name and the SHA-256 of what is meant. Subjects
// are matched by digest; the name is for people. It is comparable.
type Subject struct {
	Name   string
	SHA256 [sha256.Size]byte
}

// ParseSubject reads `name@sha256:` and 64 lower-case hex digits.
func ParseSubject(s string) (Subject, error) {
	name, digits, ok := cutLast(s, "@sha256:")
	if !ok {
		return Subject{}, fmt.Errorf("subject %q: want NAME@sha256:HEX", s)
	}
	sum, err := parseSHA256([]byte(digits))
	if err != nil {
		return Subject{}, fmt.Errorf("subject %q: %w", s, err)
	}
	subject := Subject{name, sum}
	if err := subject.check(); err != nil {
		return Subject{}, fmt.Errorf("subject %q: %w", s, err)
	}
	return subject, nil
}

// String is the inverse of ParseSubject.
func (s Subject) String() string { return s.Name + "@sha256:" + hex.EncodeToString(s.SHA256[:]) }

// check holds the subject of an artifact against the predicate's rules; the subject of
// the run is made from its ID and named like nothing else.
func (s Subject) check() error {
	switch {
	case s.Name == "":
		return errors.New("the name is empty")
	case !utf8.ValidString(s.Name):
		return errors.New("the name is not valid UTF-8")
	case strings.HasPrefix(s.Name, "airun:"):
		return errors.New(`only the run itself has a name that begins with "airun:"`)
	case s.SHA256 == [sha256.Size]byte{}:
		return errors.New("the digest is zero")
	}
	return nil
}

// runSubjectText is the subject of a run, its name as it is in the text.
type runSubjectText struct {
	name []byte
	sum  [sha256.Size]byte
}

func (s *runSubjectText) subject() Subject { return Subject{string(s.name), s.sum} }

// isOf says that the subject is the run's, as runSubject makes it. An ID has one spelling.
func (s *runSubjectText) isOf(id identity.ID) bool {
	var memory [128]byte
	spelled, err := id.AppendText(memory[:0])
	return err == nil && !id.IsZero() && string(s.name) == string(spelled) && s.sum == id.Digest()
}

func runSubject(id identity.ID) Subject { return Subject{id.String(), id.Digest()} }

// MarshalJSON writes the subject as in a Statement. A name that is not valid UTF-8 is an error: JSON cannot say it.
func (s Subject) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(s.Name) {
		return nil, fmt.Errorf("subject %+q: the name is not valid UTF-8", s.Name)
	}
	return s.append(nil), nil
}

// append appends the subject in RFC 8785 form. Its name is to be valid UTF-8.
func (s Subject) append(out []byte) []byte {
	out = hex.AppendEncode(append(out, `{"digest":{"sha256":"`...), s.SHA256[:])
	return append(appendString(append(out, `"},"name":`...), s.Name), '}')
}

// UnmarshalJSON reads what MarshalJSON writes, as strictly as a Statement is read.
func (s *Subject) UnmarshalJSON(data []byte) error {
	if s == nil {
		return errors.New("subject: nothing to read into")
	}
	v, err := jsontree.Read(data, payloadRules)
	if err != nil {
		return err
	}
	*s, err = readSubject(v)
	return err
}

// fewSubjects are compared one by one.
const fewSubjects = 8

// readSubjects reads a Statement's subjects: objects of name and digest alone, the digest
// of sha256 alone, no two alike.
func readSubjects(v jsontree.Value) ([]Subject, error) {
	n := v.Len()
	if v.Kind() != jsontree.Array || n == 0 {
		return nil, errors.New("subject: want an array of at least one subject")
	}
	if n > limits.Subjects {
		return nil, fmt.Errorf("subject: %d subjects, want at most %d", n, limits.Subjects)
	}
	var seen map[Subject]bool
	if n > fewSubjects {
		seen = make(map[Subject]bool, n)
	}
	subjects := make([]Subject, 0, n)
	for i, e := 0, v.First(); e.Kind() != jsontree.Absent; i, e = i+1, e.After(v) {
		s, err := readSubject(e)
		if err == nil && (seen[s] || seen == nil && slices.Contains(subjects, s)) {
			err = errors.New("stands twice")
		}
		if err != nil {
			return nil, fmt.Errorf("subject %d: %w", i, err)
		}
		if seen != nil {
			seen[s] = true
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}

func readSubject(v jsontree.Value) (Subject, error) {
	name, sum, err := readSubjectText(v)
	if err != nil {
		return Subject{}, err
	}
	return Subject{string(name), sum}, nil
}

// readSubjectText is readSubject with the name as it is in the text.
func readSubjectText(v jsontree.Value) (name []byte, sum [sha256.Size]byte, err error) {
	if err := checkMembers(v, "digest", "name"); err != nil {
		return nil, sum, err
	}
	text, digest := v.Get("name"), v.Get("digest")
	if text.Kind() != jsontree.String {
		return nil, sum, errors.New("name: want a string")
	}
	if err := checkMembers(digest, "sha256"); err != nil {
		return nil, sum, fmt.Errorf("digest: %w", err)
	}
	if sum, err = parseSHA256(digest.Get("sha256").Bytes()); err != nil {
		return nil, sum, fmt.Errorf("digest.sha256: %w", err)
	}
	return text.Bytes(), sum, nil
}

func parseSHA256(digits []byte) (sum [sha256.Size]byte, err error) {
	if len(digits) != hex.EncodedLen(len(sum)) {
		return sum, fmt.Errorf("%d hex digits, want %d", len(digits), hex.EncodedLen(len(sum)))
	}
	if _, err := hex.Decode(sum[:], digits); err == nil && !hasUpper(digits) {
		return sum, nil
	}
	if !bytes.Equal(bytes.ToLower(digits), digits) {
		return [sha256.Size]byte{}, errors.New("want lower-case hex digits")
	}
	return [sha256.Size]byte{}, errors.New("want hex digits only")
}

func hasUpper(text []byte) bool {
	for _, c := range text {
		if c >= 'A' && c <= 'Z' {
			return true
		}
	}
	return false
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
