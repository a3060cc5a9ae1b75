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
	runs   int64 // where the first run begins
	seed   settree.Hash
	bundle *attest.Bundle
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

// Is tells by its first line whether a file is a run set; start is what the file begins with, of the line as much as there is.
// It may be malformed all the same.
func Is(start []byte) bool {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	return bytes.Contains(line, []byte(attest.RunSetMediaType)) && bytes.HasPrefix(bytes.TrimSpace(line), []byte("{"))
}

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
	s := &Set{r: r, runs: int64(len(line))}
	if err == nil {
		err = s.readHeader(line)
	}
	if err != nil {
		return nil, asLineError(err, 1, 0)
	}
	return s, nil
}

// asLineError says in which line something is wrong; errors of reading stay as they are.
func asLineError(err error, line uint64, offset int64) error {
	if failed := (*readError)(nil); errors.As(err, &failed) {
		return failed.err
	}
	return &LineError{line, offset, err}
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
	return attest.SetRuns{Seed: s.seed, Read: s.statements}
}

// statements gives the Statements in RFC 8785 form, in memory that is used again for the next.
func (s *Set) statements() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if s.r == nil {
			yield(nil, errors.New("run set: it is nil or a zero value"))
			return
		}
		if _, err := s.r.Seek(s.runs, io.SeekStart); err != nil {
			yield(nil, err)
			return
		}
		r := bufio.NewReaderSize(s.r, 64<<10)
		offset := s.runs
		var line, form []byte
		var err error
		for n := uint64(2); ; n++ {
			if line, err = readLine(r, line, limits.Payload); errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				form, err = readForm(form, line)
			}
			if err != nil {
				yield(nil, asLineError(err, n, offset))
				return
			}
			if !yield(form, nil) {
				return
			}
			offset += int64(len(line))
		}
	}
}

func readForm(into, line []byte) ([]byte, error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return into, errors.New("is empty, want a statement")
	}
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
// make no decision by it. An error ends the sequence; one about what is in the file is a *LineError.
func (s *Set) UnverifiedRuns() iter.Seq2[UnverifiedRun, error] {
	return func(yield func(UnverifiedRun, error) bool) {
		run := UnverifiedRun{}
		for statement, err := range zero.IfNil(s).statements() {
			if err == nil {
				run.Statement = statement
				run.Identity, err = claimedIdentity(statement)
				err = lineOf(run.Index, err)
			}
			if err != nil {
				yield(UnverifiedRun{}, err)
				return
			}
			if !yield(run, nil) {
				return
			}
			run.Index++
		}
	}
}

// lineOf says in which line the run of that index is.
func lineOf(index uint64, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: line %d: %w", attest.ErrMalformed, index+2, err)
}

func claimedIdentity(statement []byte) (identity.ID, error) {
	root, err := jsontree.Parse(statement)
	if err != nil {
		return identity.ID{}, err
	}
	id, err := identity.ParseID(root.Get("predicate").Get("identity").Text())
	if err != nil {
		return identity.ID{}, fmt.Errorf("predicate.identity: %w", err)
	}
	return id, nil
}
