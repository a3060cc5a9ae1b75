package journal

import (
	"errors"
	"iter"

	"github.com/runattest/runattest/internal/pathname"
)

// UnverifiedLines gives the lines of a journal in their order. Each follows from the line before it in its segment, and a
// declaration beside it has its identity; no signature was verified. An error about a segment ends that segment, and those
// behind it follow. A part of a line at the end of the journal, which may be being written, is left out.
func UnverifiedLines(dir string) iter.Seq2[UnverifiedLine, error] {
	return func(yield func(UnverifiedLine, error) bool) {
		_, err := readID(dir)
		var l *listing
		if err == nil {
			l, err = list(dir)
		}
		if err != nil {
			yield(UnverifiedLine{}, err)
			return
		}
		for _, number := range l.numbers {
			if !linesOf(dir, number, !l.closed[number], number == l.last(), yield) {
				return
			}
		}
	}
}

// linesOf gives the lines of one segment. It is false when no more are wanted.
func linesOf(dir string, number int, open, last bool, yield func(UnverifiedLine, error) bool) bool {
	s, err := scanSegment(dir, number)
	incomplete := false
	if err == nil && open {
		s, incomplete, err = settle(s, last)
	}
	if err != nil {
		return yield(UnverifiedLine{Segment: number}, err)
	}
	for line, err := range s.lines() {
		switch {
		case err == nil:
			if !yield(line.UnverifiedLine, nil) {
				return false
			}
		case incomplete && errors.Is(err, errIncomplete):
		default:
			return yield(UnverifiedLine{Segment: number}, &DamageError{Path: pathname.In(dir, linesName(number)), Line: s.n + 1, Err: err})
		}
	}
	return true
}
