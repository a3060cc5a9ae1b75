package attest

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/settree"
)

// setReader reads the runs of a set twice. The first reading notes the hash of each window of Statements; the second gives
// the runs of a window once all of it was read again, and is the same.
type setReader struct {
	head    *VerifiedHead
	runs    SetRuns
	windows []settree.Hash // of the first reading, those that the second has not come to
}

// window is Statements that follow each other, until they have limits.SetWindow bytes.
type window struct {
	text []byte
	ends []int // in text
	sums []byte
}

func (w *window) add(statement []byte, sum settree.Hash) (full bool) {
	w.text, w.sums = append(w.text, statement...), append(w.sums, sum[:]...)
	w.ends = append(w.ends, len(w.text))
	return len(w.text) >= limits.SetWindow
}

func (w *window) sum() settree.Hash { return sha256.Sum256(w.sums) }

func (w *window) clear() { w.text, w.ends, w.sums = w.text[:0], w.ends[:0], w.sums[:0] }

// read gives the windows of one reading, and the tree of all Statements.
func (r *setReader) read(ctx context.Context, each func(*window) error) (*settree.Builder, error) {
	tree := settree.NewBuilder(r.runs.Seed)
	w := &window{}
	for statement, err := range r.runs.Read() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		if tree.Size() == r.head.head.Size {
			return nil, r.no("there are more runs than the %d that are signed", tree.Size())
		}
		sum, err := tree.Add(statement)
		if err != nil {
			return nil, err
		}
		if !w.add(statement, sum) {
			continue
		}
		if err := each(w); err != nil {
			return nil, err
		}
		w.clear()
	}
	if len(w.ends) == 0 {
		return tree, nil
	}
	return tree, each(w)
}

// confirm is the first reading: it finds that the set is what was signed.
func (r *setReader) confirm(ctx context.Context) error {
	tree, err := r.read(ctx, func(w *window) error {
		r.windows = append(r.windows, w.sum())
		return nil
	})
	if err != nil {
		return err
	}
	head := r.head.head
	if got := tree.Size(); got != head.Size {
		return r.no("there are %s, and %d are signed", settree.Runs(got), head.Size)
	}
	root, err := tree.Root()
	if err != nil {
		return err
	}
	if root != head.Root {
		return r.no("the runs have the root %x, and %x is signed: a run, its place or the seed is not as it was signed", root, head.Root)
	}
	return nil
}

// no is the answer for the set, of which no run is given.
func (r *setReader) no(format string, args ...any) error {
	checks := append(r.head.Report().Checks, evidence.Failed(evidence.CheckInclusion, evidence.CodeInclusion, format, args...))
	return &VerificationError{Report{Checks: checks}}
}

// errEnough says that the caller wants no more runs.
var errEnough = errors.New("enough")

// report is the second reading.
func (r *setReader) report(ctx context.Context, yield func(*Verified, error) bool) error {
	index := uint64(0)
	_, err := r.read(ctx, func(w *window) error {
		if len(r.windows) == 0 || w.sum() != r.windows[0] {
			return ErrSetChanged
		}
		r.windows = r.windows[1:]
		start := 0
		for _, end := range w.ends {
			v, err := r.verify(index, slices.Clone(w.text[start:end]))
			if no := (*VerificationError)(nil); err != nil && !errors.As(err, &no) {
				return err
			}
			if !yield(v, err) {
				return errEnough
			}
			index, start = index+1, end
		}
		return nil
	})
	if no := (*VerificationError)(nil); errors.As(err, &no) { // more runs than before
		return ErrSetChanged
	}
	if err == nil && len(r.windows) > 0 {
		return ErrSetChanged
	}
	return err
}

// verify verifies a run that is known to be in the set.
func (r *setReader) verify(index uint64, statement []byte) (*Verified, error) {
	in := &evidence.InSet{Head: r.head.head, Index: index}
	inclusion := evidence.Passed(evidence.CheckInclusion, "%s, and all of the set was read", in)
	run := runChecks{set: in, inclusion: &inclusion}
	var err error
	var want Expect
	if run.content, err = readStatement(statement); err == nil && run.content.ref != nil && r.runs.Declaration != nil {
		var failed error
		if want.Declaration, failed = r.runs.Declaration(run.content.id); failed != nil {
			return nil, failed
		}
	}
	run.finish(err, want)
	return r.head.by.conclude(r.head.result, run, statement)
}
