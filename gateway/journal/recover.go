package journal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/limits"
)

// recovery finds where a journal ends, and cuts what a crash left behind its last line that was synced.
type recovery struct {
	dir    string
	id     [sha256.Size]byte
	accept bool
	log    *slog.Logger

	number   int                // of the last segment; 0 for none
	prev     [sha256.Size]byte  // of the last line, or the journal's id
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
		if err := removeIfThere(filepath.Join(r.dir, name)); err != nil {
			return err
		}
	}
	r.prev = r.id
	if len(l.numbers) == 0 {
		return nil
	}
	signed := l.numbers[0] - 1
	for i, number := range l.numbers {
		switch {
		case i > 0 && l.numbers[i-1] != number-1:
			err = r.damage(linesName(number-1), 0, errors.New("is missing, and there are segments before and behind it"))
		case !l.lines[number]:
			err = r.damage(linesName(number), 0, errors.New("is missing, and its bundle is there"))
		case l.closed[number] && signed != number-1:
			err = r.damage(bundleName(number-1), 0, errors.New("is missing, and the segment behind it has one"))
		}
		if err != nil {
			return err
		}
		if l.closed[number] {
			signed = number
		}
	}
	if l.closed[signed] {
		if err := r.readSigned(signed); err != nil {
			return err
		}
	}
	return r.readUnsigned(signed+1, l)
}

// damage is an error, unless it is accepted.
func (r *recovery) damage(name string, line int, err error) error {
	d := &DamageError{Path: filepath.Join(r.dir, name), Line: line, Err: err}
	if !r.accept {
		return d
	}
	r.log.Error("the journal is damaged, which is accepted", "damage", d.Error())
	return nil
}

// readSigned takes the end of the last signed segment.
func (r *recovery) readSigned(number int) error {
	data, err := readFile(filepath.Join(r.dir, bundleName(number)), limits.Bundle)
	if err != nil {
		return err
	}
	h, err := unverifiedHead(data)
	if err == nil && (h.Gateway != r.id || h.Number != number) {
		err = errors.New("is of another journal or segment")
	}
	if err != nil {
		return &DamageError{Path: filepath.Join(r.dir, bundleName(number)), Err: err, Fatal: true}
	}
	lines, err := readFile(filepath.Join(r.dir, linesName(number)), limits.JournalSegment+limits.JournalLine)
	if err != nil && !(r.accept && errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	if sha256.Sum256(lines) != h.File {
		if err := r.damage(linesName(number), 0, errors.New("is not the file that was signed")); err != nil {
			return err
		}
	}
	r.number, r.prev, r.before = number, h.Last, &h.File
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
	return true, errors.Join(removeIfThere(filepath.Join(r.dir, linesName(number))), removeIfThere(filepath.Join(r.dir, declarationsName(number))))
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

// readOne takes the good lines of a segment, up to the one that the next segment names, and cuts what is behind them.
func (r *recovery) readOne(s *scan, next *[sha256.Size]byte) error {
	if r.number > 0 || s.number == 1 {
		s.prev = &r.prev
	}
	var bad error
	ended := false
	for _, err := range s.lines() {
		if bad = err; err == nil && next != nil && s.last == *next {
			ended = true
			break
		}
	}
	switch {
	case ended: // what is behind it was acknowledged to no call
	case next != nil && bad == nil:
		bad = errors.New("does not end with the line that the next segment names")
		fallthrough
	case bad != nil && (next != nil || !s.isTorn(bad)):
		if err := r.damage(linesName(s.number), s.n+1, bad); err != nil {
			return err
		}
	}
	if err := r.cut(s, bad != nil && !s.isTorn(bad)); err != nil {
		return err
	}
	if s.n == 0 {
		return errors.Join(removeIfThere(filepath.Join(r.dir, linesName(s.number))), removeIfThere(filepath.Join(r.dir, declarationsName(s.number))))
	}
	r.number, r.prev = s.number, s.last
	r.unsigned = append(r.unsigned, &sealed{number: s.number, lines: s.n, last: s.last, end: s.at, declarations: s.declared})
	return nil
}

// isTorn says that the write that was under way explains a bad line: no line behind it is of a later write, since that began
// when this one was on disk.
func (s *scan) isTorn(bad error) bool {
	var line *lineError
	if !errors.As(bad, &line) || !line.torn {
		return false
	}
	for text := range bytes.SplitSeq(s.data[s.at:], []byte{'\n'}) {
		if l, err := parseLine(text); err == nil && l.group > s.n+1 {
			return false
		}
	}
	return true
}

// cut copies aside what is behind the good lines, if it is more than zero bytes, and cuts it.
func (r *recovery) cut(s *scan, damage bool) error {
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
			if err := atomicfile.Create(filepath.Join(r.dir, aside), rest, 0o600); err != nil {
				return err
			}
			r.cuts = append(r.cuts, Cut{s.number, aside, int64(len(rest)), damage})
			r.log.Warn("the end of a segment was cut off", "segment", s.number, "aside", aside, "bytes", len(rest), "damage", damage)
		}
		if err := truncate(filepath.Join(r.dir, part.name), part.end); err != nil {
			return err
		}
	}
	return nil
}
