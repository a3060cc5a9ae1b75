package runset

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/settree"
	"github.com/runattest/runattest/internal/zero"
)

// Set is an open run set. Nothing in it is believed: attest.VerifiedHead decides. It is for one goroutine at a time.
type Set struct {
	r      io.ReadSeeker
	runs   place // where the first run begins
	seed   settree.Hash
	bundle *attest.Bundle
}

// place is where a line of a run set begins.
type place struct {
	line   uint64 // from 1
	offset int64
}

// LineError says that a line of a run set is malformed. It wraps attest.ErrMalformed.
type LineError struct {
	Line   uint64 // from 1; the runs begin in line 2
	Offset int64  // of the line in the file, in bytes
	Err    error
}

func (e *LineError) Error() string {
	e = zero.IfNil(e)
	return fmt.Sprintf("line %d (at byte %d): %v", e.Line, e.Offset, e.Err)
}

// Unwrap gives the reason, and attest.ErrMalformed.
func (e *LineError) Unwrap() []error { return []error{attest.ErrMalformed, zero.IfNil(e).Err} }

var headerRules = canonical.Options{ExactNumbers: true, MaxDepth: limits.BundleDepth + 1, MaxValues: limits.BundleValues}

var statementRules = canonical.Options{ExactNumbers: true, MaxDepth: limits.PayloadDepth, MaxValues: limits.PayloadValues}

// Open reads the first line of a run set; r is at its start, and must stay open and as it is. Errors about what is in it are
// *LineErrors.
func Open(r io.ReadSeeker) (*Set, error) {
	if r == nil {
		return nil, errors.New("run set: no file")
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	line, err := readLine(bufio.NewReaderSize(r, 64<<10), nil, limits.SetHeader)
	if errors.Is(err, io.EOF) {
		err = errors.New("is empty, want the first line of a run set")
	}
	s := &Set{r: r, runs: place{2, int64(len(line))}}
	if err == nil {
		err = s.readHeader(line)
	}
	if err != nil {
		return nil, asLineError(err, place{line: 1})
	}
	return s, nil
}

// asLineError says in which line something is wrong; errors of reading stay as they are.
func asLineError(err error, at place) error {
	if failed := (*readError)(nil); errors.As(err, &failed) {
		return failed.err
	}
	return &LineError{at.line, at.offset, err}
}

// readError is not about what is in a file.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// readLine reads a line with its line feed, at most limit bytes, into memory that it may use. After the last line it is
// io.EOF.
func readLine(r *bufio.Reader, into []byte, limit int) ([]byte, error) {
	line := into[:0]
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > limit+1 {
			return line, fmt.Errorf("is longer than %d bytes", limit)
		}
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) == 0:
			return line, io.EOF
		case errors.Is(err, io.EOF):
			return line, errors.New("has no line feed at its end: the file was cut off")
		default:
			return line, &readError{err}
		}
	}
}

func (s *Set) readHeader(line []byte) error {
	form, err := headerRules.Append(nil, line)
	if err != nil {
		return err
	}
	root, err := jsontree.Parse(form)
	if err != nil {
		return err
	}
	if got := root.Get("mediaType"); got.Text() != attest.RunSetMediaType {
		return fmt.Errorf("mediaType is %s, want %s", strconv.Quote(got.Text()), attest.RunSetMediaType)
	}
	for name := range root.Members() {
		switch string(name) {
		case "mediaType", "seed", "bundle":
		default:
			return fmt.Errorf("unknown member %q", name)
		}
	}
	if s.seed, err = readSeed(root.Get("seed")); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	bundle := root.Get("bundle")
	if bundle.Kind() != jsontree.Object {
		return fmt.Errorf("bundle: is of type %s, want object", bundle.Kind())
	}
	if s.bundle, err = attest.ParseBundle(bundle.Raw()); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if got := s.bundle.Format(); got != attest.SigstoreBundle {
		return fmt.Errorf("bundle: is a %s, want a Sigstore bundle", got)
	}
	if got := s.bundle.UnverifiedPredicateType(); got != attest.RunSetType {
		return fmt.Errorf("bundle: predicateType is %s, want %s", strconv.Quote(got), attest.RunSetType)
	}
	return nil
}

func readSeed(v jsontree.Value) (seed settree.Hash, err error) {
	text := v.Text()
	if v.Kind() != jsontree.String || len(text) != hex.EncodedLen(len(seed)) || strings.ToLower(text) != text {
		return seed, fmt.Errorf("want %d lower-case hex digits", hex.EncodedLen(len(seed)))
	}
	if _, err := hex.Decode(seed[:], []byte(text)); err != nil {
		return seed, errors.New("want hex digits only")
	}
	return seed, nil
}

// Bundle is the set's bundle.
func (s *Set) Bundle() *attest.Bundle { return zero.IfNil(s).bundle }

// UnverifiedHead is what the bundle says of the set.
func (s *Set) UnverifiedHead() (evidence.SetHead, error) { return s.Bundle().UnverifiedSetHead() }

// Runs is what attest.VerifiedHead.VerifyRuns reads. Declarations of detached runs are for the caller to add.
func (s *Set) Runs() attest.SetRuns {
	s = zero.IfNil(s)
	return attest.SetRuns{Seed: s.seed, Read: s.lines, Malformed: s.malformed}
}

// lines gives the lines of the Statements, in memory that is used again for the next.
func (s *Set) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		at := s.start()
		s.linesFrom(&at)(yield)
	}
}

// malformed says in which line the Statement at index is. It reads the file up to there.
func (s *Set) malformed(index uint64, err error) error {
	at, line := s.start(), s.start()
	for _, failed := range s.linesFrom(&at) {
		if failed != nil {
			return failed
		}
		if line.line-s.start().line == index {
			return asLineError(err, line)
		}
		line = at
	}
	return attest.ErrSetChanged
}

// start is where the first run begins.
func (s *Set) start() place { return s.runs }

// statements gives the Statements in RFC 8785 form, in memory that is used again for the next.
func (s *Set) statements() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		at := s.start()
		s.statementsFrom(&at)(yield)
	}
}

// statementsFrom is statements from a line on. While a Statement is looked at, at is the line after it.
func (s *Set) statementsFrom(at *place) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var form []byte
		line := *at
		for text, err := range s.linesFrom(at) {
			if err == nil {
				if form, err = readForm(form, text); err != nil {
					err = asLineError(err, line)
				}
			}
			if !yield(form, err) || err != nil {
				return
			}
			line = *at
		}
	}
}

// linesFrom is lines from a line on. While a line is looked at, at is the one after it.
func (s *Set) linesFrom(at *place) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if s.r == nil {
			yield(nil, errors.New("run set: it is nil or a zero value"))
			return
		}
		if _, err := s.r.Seek(at.offset, io.SeekStart); err != nil {
			yield(nil, err)
			return
		}
		r := bufio.NewReaderSize(s.r, 64<<10)
		var line []byte
		var err error
		for {
			if line, err = readLine(r, line, limits.Payload); errors.Is(err, io.EOF) {
				return
			}
			if err == nil && len(bytes.TrimSpace(line)) == 0 {
				err = errors.New("is empty, want a statement")
			}
			if err != nil {
				yield(nil, asLineError(err, *at))
				return
			}
			at.line, at.offset = at.line+1, at.offset+int64(len(line))
			if !yield(line, nil) {
				return
			}
		}
	}
}

func readForm(into, line []byte) ([]byte, error) {
	form, err := statementRules.Append(into[:0], line)
	if err == nil && form[0] != '{' {
		err = errors.New("is not an object, want a statement")
	}
	return form, err
}

// UnverifiedRun is what a line of a set says of its run.
type UnverifiedRun struct {
	Index     uint64
	Identity  identity.ID
	Statement []byte // in RFC 8785 form; it is overwritten when the next run is asked for
}

// UnverifiedRuns gives the runs as they are in the file. Neither the signer nor the tree nor an identity has been checked:
// make no decision by it. Errors about what is in the file are *LineErrors. One about a Statement that names no run comes in
// its place, and those after it follow; after any other error there is nothing more.
func (s *Set) UnverifiedRuns() iter.Seq2[UnverifiedRun, error] {
	return func(yield func(UnverifiedRun, error) bool) {
		s := zero.IfNil(s)
		next := s.start()
		line, index := next, uint64(0)
		for statement, err := range s.statementsFrom(&next) {
			run := UnverifiedRun{Index: index, Statement: statement}
			if err == nil {
				if run.Identity, err = claimedIdentity(statement); err != nil {
					err = asLineError(err, line)
				}
			}
			if err != nil {
				run = UnverifiedRun{}
			}
			if !yield(run, err) {
				return
			}
			line, index = next, index+1
		}
	}
}

// errIdentity says that a Statement names no run.
var errIdentity = errors.New("predicate.identity")

func claimedIdentity(statement []byte) (identity.ID, error) {
	root, err := jsontree.Parse(statement)
	if err != nil {
		return identity.ID{}, err
	}
	id, err := identity.ParseID(root.Get("predicate").Get("identity").Text())
	if err != nil {
		return identity.ID{}, fmt.Errorf("%w: %w", errIdentity, err)
	}
	return id, nil
}
