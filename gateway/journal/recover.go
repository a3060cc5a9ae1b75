package journal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"slices"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
)

// recovery finds where a journal ends, and cuts what a crash left behind its last line that was synced.
type recovery struct {
	dir    string
	id     [sha256.Size]byte
	accept bool
	log    *slog.Logger

	number   int                // of the last segment; 0 for none
	prev     [sha256.Size]byte  // of the last good line, or the journal's id
	gap      bool               // there is damage between that line and the next segment
	before   *[sha256.Size]byte // of the file of the last signed segment
	unsigned []*sealed
	cuts     []Cut
}

func (r *recovery) run() error {
	l, err := list(r.dir)
	if err == nil {
		err = checkUnsigned(r.dir, l)
	}
	if err != nil {
		return err
	}
	for _, name := range []string{spareLines, spareDeclarations} {
		if err := removeIfThere(pathname.In(r.dir, name)); err != nil {
			return err
		}
	}
	r.prev = r.id
	if len(l.numbers) == 0 {
		return nil
	}
	signed, err := r.checkSegments(l)
	if err != nil {
		return err
	}
	return r.readUnsigned(signed+1, l)
}

// checkSegments looks for damage in what is signed, and takes the end of the last signed segment, whose number it gives. Of the
// segments before it reads the bundles alone: verifying reads all lines.
func (r *recovery) checkSegments(l *listing) (signed int, err error) {
	signed = l.numbers[0] - 1
	last, before := l.lastClosed(), (*[sha256.Size]byte)(nil)
	for i, number := range l.numbers {
		switch {
		case i > 0 && l.numbers[i-1] != number-1:
			err = r.damage(linesName(number-1), 0, errors.New("is missing, and there are segments before and behind it"))
		case !l.lines[number]:
			err = r.damage(linesName(number), 0, errors.New("is missing, and its bundle is there"))
		case l.closed[number] && signed != number-1:
			err = r.damage(bundleName(number-1), 0, errors.New("is missing, and the segment behind it has one"))
		}
		if err == nil && l.closed[number] {
			if number < last {
				before, err = r.checkBundle(number, before)
			}
			signed = number
		}
		if err != nil {
			return 0, err
		}
	}
	if l.closed[signed] {
		err = r.readSigned(signed, before)
	}
	return signed, err
}

// checkBundle looks for damage in the bundle of a segment that is not the last signed one, given the file that the one before is
// about. It gives the file that this one is about; nil if that is not known.
func (r *recovery) checkBundle(number int, before *[sha256.Size]byte) (*[sha256.Size]byte, error) {
	h, err := r.readHead(number)
	if wrong, ok := errors.AsType[*DamageError](err); ok {
		return nil, r.damage(bundleName(number), 0, wrong.Err)
	}
	if err == nil {
		err = r.checkFollows(h, before)
	}
	return &h.File, err
}

// readHead reads the bundle of a segment. Damage in it is fatal where the next segment is to name it.
func (r *recovery) readHead(number int) (head, error) {
	data, err := readFile(pathname.In(r.dir, bundleName(number)), limits.Bundle)
	if err != nil {
		return head{}, err
	}
	h, err := unverifiedHead(data)
	if err == nil && (h.Gateway != r.id || h.Number != number) {
		err = errors.New("is of another journal or segment")
	}
	if err != nil {
		return head{}, &DamageError{Path: pathname.In(r.dir, bundleName(number)), Err: err, Fatal: true}
	}
	return h, nil
}

// checkFollows holds a bundle against the file that the one before is about, if that is known.
func (r *recovery) checkFollows(h head, before *[sha256.Size]byte) error {
	if before == nil || h.Previous != nil && *h.Previous == *before {
		return nil
	}
	return r.damage(bundleName(h.Number), 0, errors.New("does not follow the bundle of the segment before"))
}

// damage is an error, unless it is accepted.
func (r *recovery) damage(name string, line int, err error) error {
	d := &DamageError{Path: pathname.In(r.dir, name), Line: line, Err: err}
	if !r.accept {
		return d
	}
	r.log.Error("the journal is damaged, which is accepted", "damage", d.Error())
	return nil
}

// readSigned takes the end of the last signed segment, given the file that the one before is about.
func (r *recovery) readSigned(number int, before *[sha256.Size]byte) error {
	h, err := r.readHead(number)
	if err == nil {
		err = r.checkFollows(h, before)
	}
	if err != nil {
		return err
	}
	if err := r.checkFile(number, h); err != nil {
		return err
	}
	r.number, r.prev, r.before = number, h.Last, &h.File
	return nil
}

// checkFile holds the lines of a segment against its bundle.
func (r *recovery) checkFile(number int, h head) error {
	lines, err := readFile(pathname.In(r.dir, linesName(number)), limits.JournalSegment+limits.JournalLine)
	if err != nil && !(r.accept && errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	if sha256.Sum256(lines) != h.File {
		return r.damage(linesName(number), 0, errors.New("is not the file that was signed"))
	}
	return nil
}

// readUnsigned takes the segments that are not signed: those that were closed, and then the one that was open.
func (r *recovery) readUnsigned(first int, l *listing) error {
	at, _ := slices.BinarySearch(l.numbers, first)
	numbers := l.numbers[at:]
	for len(numbers) > 0 { // the last may have no line
		empty, err := r.dropEmpty(numbers[len(numbers)-1])
		if err != nil {
			return err
		}
		if !empty {
			break
		}
		numbers = numbers[:len(numbers)-1]
	}
	for i, number := range numbers {
		s, err := scanSegment(r.dir, number)
		if err != nil {
			return err
		}
		var next *[sha256.Size]byte
		if i+1 < len(numbers) {
			if next, err = firstPrev(r.dir, numbers[i+1]); err != nil {
				return err
			}
		}
		if err := r.readOne(s, next); err != nil {
			return err
		}
	}
	return nil
}

// dropEmpty removes a segment's files if they have no line.
func (r *recovery) dropEmpty(number int) (bool, error) {
	s, err := scanSegment(r.dir, number)
	if err != nil {
		return false, err
	}
	if !isZero(s.data) {
		return false, nil
	}
	if err := r.cut(s); err != nil { // declarations without a line
		return false, err
	}
	return true, errors.Join(removeIfThere(pathname.In(r.dir, linesName(number))), removeIfThere(pathname.In(r.dir, declarationsName(number))))
}

// firstPrev is the digest that the first line of a segment names; nil if the line cannot be read.
func firstPrev(dir string, number int) (*[sha256.Size]byte, error) {
	s, err := scanSegment(dir, number)
	if err != nil {
		return nil, err
	}
	for l, err := range s.lines() {
		if err != nil {
			break
		}
		return &l.prev, nil
	}
	return nil, nil
}

// readOne takes the good lines of a segment, up to the one that the next segment names, and cuts what is behind them. A segment whose
// damage is accepted stays as it is, and is never signed: all who verify the journal find it.
func (r *recovery) readOne(s *scan, next *[sha256.Size]byte) error {
	if r.number > 0 && r.number != s.number-1 {
		r.gap = true // segments are missing
	}
	if !r.gap && (r.number > 0 || s.number == 1) {
		s.prev = &r.prev
	}
	var bad error
	reached := false
	for _, err := range s.lines() {
		bad = err
		if reached = err == nil && next != nil && s.last == *next; reached {
			break
		}
	}
	switch {
	case reached && !s.isFailedWrite():
		bad = errors.New("more stands behind the line that the next segment names than a write that failed leaves there")
	case reached: // it was acknowledged to no call
	case next != nil && bad == nil:
		bad = errors.New("does not end with the line that the next segment names")
	case next == nil && s.isTorn(bad, s.n+1):
		bad = nil
	}
	if bad != nil {
		if err := r.damage(linesName(s.number), s.n+1, bad); err != nil {
			return err
		}
		if r.number, r.gap = s.number, true; s.n > 0 {
			r.prev = s.last
		}
		return nil
	}
	if err := r.cut(s); err != nil {
		return err
	}
	if s.n == 0 {
		return errors.Join(removeIfThere(pathname.In(r.dir, linesName(s.number))), removeIfThere(pathname.In(r.dir, declarationsName(s.number))))
	}
	r.number, r.prev, r.gap = s.number, s.last, false
	r.unsigned = append(r.unsigned, &sealed{number: s.number, lines: s.n, last: s.last, end: s.at, declarations: s.declared})
	return nil
}

// isFailedWrite says that one write, which has failed, explains what is behind the lines that were read. After it the segment had no other.
func (s *scan) isFailedWrite() bool {
	group, rest := s.n+1, *s
	rest.content = maps.Clone(s.content)
	for l, err := range rest.lines() {
		if err != nil {
			return rest.isTorn(err, group)
		}
		if l.group != group {
			return false
		}
	}
	return true
}

// isTorn says that the write whose first line has the number group, and which was under way, explains a bad line: no line behind it is of
// a later write, since that began when this one was on disk.
func (s *scan) isTorn(bad error, group int) bool {
	var line *lineError
	if !errors.As(bad, &line) || !line.torn {
		return false
	}
	for text := range bytes.SplitSeq(s.data[s.at:], []byte{'\n'}) {
		if l, err := parseLine(text); err == nil && l.group > group {
			return false
		}
	}
	return true
}

// cut copies aside what is behind the good lines, if it is more than zero bytes, and cuts it.
func (r *recovery) cut(s *scan) error {
	for _, part := range []struct {
		name string
		data []byte
		end  int64
	}{{linesName(s.number), s.data, s.at}, {declarationsName(s.number), s.declarations, s.declared}} {
		if part.end >= int64(len(part.data)) {
			continue
		}
		rest := bytes.TrimRight(part.data[part.end:], "\x00")
		if len(rest) > 0 {
			aside := part.name + "." + rand.Text()[:8] + asideSuffix
			if err := atomicfile.Create(pathname.In(r.dir, aside), rest, 0o600); err != nil {
				return err
			}
			r.cuts = append(r.cuts, Cut{s.number, aside, int64(len(rest))})
			r.log.Warn("the end of a segment was cut off", "segment", s.number, "aside", aside, "bytes", len(rest))
		}
		if err := truncate(pathname.In(r.dir, part.name), part.end); err != nil {
			return err
		}
	}
	return nil
}
