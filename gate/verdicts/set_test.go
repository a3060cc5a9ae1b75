package verdicts_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gate/verdicts"
)

// seeks counts the readings of a file.
type seeks struct {
	io.ReadSeeker
	n int
}

func (s *seeks) Seek(offset int64, whence int) (int64, error) {
	s.n++
	return s.ReadSeeker.Seek(offset, whence)
}

// A set whose runs are not asked for is read once: besides, its first line is read. Either way progress is told of each run.
func TestSetIsReadOnce(t *testing.T) {
	d := newDesk(t)
	v, set := &verdicts.Verifier{Trust: d.trust}, d.set("a", "b", "c")
	for want, each := range map[int]func(uint64, attest.Report){2: nil, 3: func(uint64, attest.Report) {}} {
		file, steps := &seeks{ReadSeeker: bytes.NewReader(set)}, 0
		r, err := v.Set(t.Context(), file, each, func() { steps++ })
		if err != nil || !r.Verified || file.n != want || steps != 3 {
			t.Errorf("%+v, %v: %d readings, want %d, %d steps", r, err, file.n, want, steps)
		}
	}
}
