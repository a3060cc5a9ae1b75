package journal

import (
	"fmt"
	"iter"
)

// UnverifiedLines gives the lines of a journal in their order. Each follows from the line before it; neither signatures nor
// declarations nor segments were verified. An error about one segment ends that segment.
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
		for number := l.first; l.last > 0 && number <= l.last; number++ {
			s, err := scanSegment(dir, number)
			if err != nil {
				if !yield(UnverifiedLine{Segment: number}, err) {
					return
				}
				continue
			}
			for line, err := range s.lines() {
				if err != nil {
					err = fmt.Errorf("%s:%d: %w", linesName(number), s.n+1, err)
					line = &scanned{UnverifiedLine: UnverifiedLine{Segment: number}}
				}
				if !yield(line.UnverifiedLine, err) {
					return
				}
			}
		}
	}
}
