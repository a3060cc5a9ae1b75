package journal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
)

// scan reads the lines of one segment, each held against those before it. It is of the bytes that the files had at one time.
type scan struct {
	dir          string
	number       int
	data         []byte // of the lines
	declarations []byte

	// toErase has the lines go on behind a declaration that is not that of its identity.
	toErase bool

	// prev is the digest that the first line must name; nil where the segment before is not known.
	prev *[sha256.Size]byte
	head *head // what was signed; nil where the segment is open

	// What follows is of the lines that were read.
	n        int
	at       int64 // where the next line begins
	declared int64 // where the next declaration begins
	last     [sha256.Size]byte
	group    int
	content  map[int]identity.ID // of the lines that have a bundle or proof
}

func scanSegment(dir string, number int) (*scan, error) {
	data, err := readFile(pathname.In(dir, linesName(number)), limits.JournalSegment+limits.JournalLine+limits.JournalChunk)
	if err != nil {
		return nil, err
	}
	declarations, err := readFile(pathname.In(dir, declarationsName(number)), limits.JournalSegment+limits.Declaration+limits.JournalChunk)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &scan{dir: dir, number: number, data: data, declarations: declarations, content: map[int]identity.ID{}}, nil
}

// lineError says that a line is not what a gateway writes.
type lineError struct {
	err  error
	torn bool // a write that did not end explains it
}

func (e *lineError) Error() string { return e.err.Error() }

func (e *lineError) Unwrap() error { return e.err }

// scanned is a line, and whether its declaration was erased.
type scanned struct {
	UnverifiedLine
	erased  bool
	damaged error // of its declaration; only of a scan that is toErase

	halfErased bool              // its declaration is damaged as erasing leaves it that breaks off
	holds      [sha256.Size]byte // digest of what is there in the place of a damaged declaration
}

// lines gives the lines up to the end of the file, or the zero bytes behind them. An error, a *lineError, ends it.
func (s *scan) lines() iter.Seq2[*scanned, error] {
	return func(yield func(*scanned, error) bool) {
		for {
			text, ended, err := s.nextText()
			if ended {
				return
			}
			var l *scanned
			if err == nil {
				l, err = s.read(text)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

// nextText is the next line without its line feed.
func (s *scan) nextText() (text []byte, ended bool, err error) {
	rest := s.data[s.at:]
	if isZero(rest) {
		return nil, true, nil
	}
	text, _, found := bytes.Cut(rest, []byte{'\n'})
	if !found {
		return nil, false, &lineError{errIncomplete, true}
	}
	return text, false, nil
}

var errIncomplete = errors.New("has no line feed at its end")

func isZero(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}

// read reads a line, and goes on behind it if it is good.
func (s *scan) read(text []byte) (*scanned, error) {
	parsed, err := parseLine(text)
	if err != nil {
		return nil, &lineError{err, true}
	}
	l := &scanned{UnverifiedLine: *parsed}
	l.Segment = s.number
	if err := s.follows(l); err != nil {
		return nil, &lineError{err, false}
	}
	if l.detached() {
		if l.Declaration, l.erased, err = s.declaration(l.Identity, l.ref); err != nil {
			l.damaged = &lineError{fmt.Errorf("declaration: %w", err), true}
			if !s.toErase || !errors.Is(err, errOtherDeclaration) {
				return nil, l.damaged
			}
			there := s.declarations[s.declared : s.declared+l.ref.Size]
			l.halfErased, l.holds = isHalfErased(there), sha256.Sum256(there)
		}
		s.declared += l.ref.Size + 1
	}
	s.n, s.last, s.group = l.Number, l.Digest, l.group
	s.at += int64(len(text)) + 1
	if l.Bundle != nil {
		s.content[l.Number] = l.Identity
	}
	return l, nil
}

// follows holds a line against those before it.
func (s *scan) follows(l *scanned) error {
	want := &s.last
	if s.n == 0 {
		want = s.prev
	}
	switch {
	case l.Number != s.n+1:
		return fmt.Errorf("n is %d, want %d", l.Number, s.n+1)
	case want != nil && l.prev != *want:
		return errors.New("prev is not the digest of the line before")
	case l.group != s.group && l.group != l.Number:
		return fmt.Errorf("group is %d, want that of the line before or %d", l.group, l.Number)
	case l.Same > 0 && s.content[l.Same] != l.Identity:
		return fmt.Errorf("same is %d, which does not have the bundle of this identity", l.Same)
	}
	return nil
}

// declaration is the next declaration beside the segment.
func (s *scan) declaration(id identity.ID, ref *attest.DeclarationRef) (text []byte, erased bool, err error) {
	rest := s.declarations[min(s.declared, int64(len(s.declarations))):]
	if int64(len(rest)) < ref.Size+1 || rest[ref.Size] != '\n' {
		return nil, false, errors.New("is missing, or has another length than its reference says")
	}
	text = rest[:ref.Size]
	switch {
	case sha256.Sum256(text) == id.Digest():
		return text, false, nil
	case len(bytes.Trim(text, " ")) == 0:
		return nil, true, nil
	}
	return nil, false, errOtherDeclaration
}

// isHalfErased tells what is left where erasing a declaration broke off from the declaration of another run: a canonical form neither
// begins nor ends with a space, and has no line feed.
func isHalfErased(text []byte) bool {
	return len(text) > 0 && (text[0] == ' ' || text[len(text)-1] == ' ') && bytes.IndexByte(text, '\n') < 0
}

var errOtherDeclaration = errors.New("is not that of the identity")

// complete says that a closed segment has nothing behind its lines.
func (s *scan) complete() error {
	if s.at != int64(len(s.data)) {
		return errors.New("has zero bytes behind its last line")
	}
	if s.declared != int64(len(s.declarations)) {
		return fmt.Errorf("%s has more than the declarations of the lines", declarationsName(s.number))
	}
	return nil
}
