package runset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"testing"

	"github.com/runattest/runattest/attest"
)

// made is a set of so many runs that is never in memory: each reading makes its lines, all of which are the same.
type made struct {
	header, line []byte
	runs         int
	next         int // -1 is the header
	rest         []byte
}

// Seek goes to the start of a line.
func (m *made) Seek(offset int64, _ int) (int64, error) {
	if m.next, m.rest = -1, nil; offset > 0 {
		m.next = int(offset-int64(len(m.header))) / len(m.line)
	}
	return offset, nil
}

func (m *made) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		switch {
		case m.next < 0:
			m.rest = m.header
		case m.next < m.runs:
			m.rest = m.line
		default:
			return 0, io.EOF
		}
		m.next++
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// firstLine keeps the first line of what is written.
type firstLine struct {
	line []byte
	full bool
}

func (f *firstLine) Write(p []byte) (int, error) {
	if !f.full {
		part, _, found := bytes.Cut(p, []byte("\n"))
		if f.line = append(f.line, part...); found {
			f.line, f.full = append(f.line, '\n'), true
		}
	}
	return len(p), nil
}

// The memory of a verification, and of all proofs, does not grow with the number of runs.
func TestConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("-short is for the race detector, whose own memory is counted with ours")
	}
	d := newDesk(t)
	for name, read := range map[string]func(set *Set, each func()) error{
		"verify": func(set *Set, each func()) error {
			r, err := Verify(ctx, d.verifier, set, VerifyOptions{Judge: func(_ context.Context, run *attest.Verified, no error) (attest.Report, error) {
				each()
				return run.Report(), no
			}})
			if err == nil && !r.Verified {
				err = errors.New("not verified")
			}
			return err
		},
		"proofs": func(set *Set, each func()) error {
			for _, err := range set.Proofs(ctx) {
				if err != nil {
					return err
				}
				each()
			}
			return nil
		},
	} {
		few := peakOf(t, d, 8_000, read) // more than a window and what is read ahead
		// 100 bytes kept of each run would be seen. How far the workers read ahead changes from one time to the next.
		if many := peakOf(t, d, 20_000, read); many > few+1<<20 {
			t.Errorf("%s: %d bytes for 8,000 runs, %d for 20,000", name, few, many)
		}
	}
}

// peakOf is the most memory that is held while a set of so many runs is read.
func peakOf(t *testing.T, d desk, runs int, read func(set *Set, each func()) error) uint64 {
	t.Helper()
	statement := newStatement(t, 1, attest.StatementOptions{})
	repeated := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for range runs {
				if !yield(statement, nil) {
					return
				}
			}
		}
	}
	header := &firstLine{}
	if _, err := Write(ctx, header, repeated, d.options); err != nil {
		t.Fatal(err)
	}
	set, err := Open(&made{header: header.line, line: append(statement.Bytes(), '\n'), runs: runs, next: -1})
	if err != nil {
		t.Fatal(err)
	}
	most, given := uint64(0), 0
	err = read(set, func() {
		if given++; given%(runs/8) == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	})
	if err != nil || given != runs {
		t.Fatalf("%d of %d, %v", given, runs, err)
	}
	return most
}
