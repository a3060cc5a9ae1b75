package attest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/jsontree"
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
	text []byte // where it is kept
	ends []int  // of the Statements
	sums []byte
	size int
	keep bool // the text: the second reading needs it
}

func (w *window) add(statement []byte, sum settree.Hash) (full bool) {
	if w.keep {
		w.text = append(w.text, statement...)
	}
	w.size += len(statement)
	w.sums, w.ends = append(w.sums, sum[:]...), append(w.ends, w.size)
	return w.size >= limits.SetWindow
}

func (w *window) sum() settree.Hash { return sha256.Sum256(w.sums) }

func (w *window) clear() { w.text, w.ends, w.sums, w.size = w.text[:0], w.ends[:0], w.sums[:0], 0 }

// read gives the windows of one reading, with their text if keep is set, and the tree of all Statements.
func (r *setReader) read(ctx context.Context, keep bool, each func(*window) error) (*settree.Builder, error) {
	tree := settree.NewBuilder(r.runs.Seed)
	w := &window{keep: keep}
	for text, err := range r.runs.Read() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		statement, err := payloadRules.Form(text)
		if err == nil {
			err = checkRunText(statement)
		}
		if err != nil {
			return nil, r.malformed(tree.Size(), err)
		}
		if tree.Size() == r.head.head.Size {
			return nil, r.tooMany()
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

// checkRunText checks that a text in RFC 8785 form can be that of a Statement in a set.
func checkRunText(form []byte) error {
	if form[0] != '{' {
		return errors.New("is not an object, want a statement")
	}
	return nil
}

// malformed is the error about the text of the Statement at index.
func (r *setReader) malformed(index uint64, err error) error {
	if r.runs.Malformed != nil {
		return r.runs.Malformed(index, err)
	}
	return fmt.Errorf("run %d: %w: %w", index, ErrMalformed, err)
}

// confirm is the first reading: it finds that the set is what was signed.
func (r *setReader) confirm(ctx context.Context) error {
	tree, err := r.read(ctx, false, func(w *window) error {
		r.windows = append(r.windows, w.sum())
		return nil
	})
	if err != nil {
		return err
	}
	return r.compare(tree)
}

// compare holds the tree of all Statements against what was signed.
func (r *setReader) compare(tree *settree.Builder) error {
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

// tooMany is the answer for a set with more runs than are signed.
func (r *setReader) tooMany() error {
	return r.no("there are more runs than the %d that are signed", r.head.head.Size)
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
	_, err := r.read(ctx, true, func(w *window) error {
		if len(r.windows) == 0 || w.sum() != r.windows[0] {
			return ErrSetChanged
		}
		r.windows = r.windows[1:]
		for runs := range inorder.Map(runtime.GOMAXPROCS(0), w.share(index), noSize, r.prepareAll) {
			for _, run := range runs {
				v, err := r.verify(run)
				if no := (*VerificationError)(nil); err != nil && !errors.As(err, &no) {
					return err
				}
				if !yield(v, err) {
					return errEnough
				}
			}
		}
		index += uint64(len(w.ends))
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

// share is some runs of a window that follow each other.
type share struct {
	*window
	index       uint64 // of the window's first run
	first, last int    // in the window
}

// shareSize is how many runs a share has.
const shareSize = 32

func (w *window) share(index uint64) iter.Seq[share] {
	return func(yield func(share) bool) {
		for first := 0; first < len(w.ends); first += shareSize {
			if !yield(share{w, index, first, min(first+shareSize, len(w.ends))}) {
				return
			}
		}
	}
}

func noSize(share) int { return 0 } // a window is bounded

// setRun is a run that is known to be in the set.
type setRun struct {
	runChecks
	statement []byte
	err       error // of reading the statement
	ready     bool  // all checks are made
}

// prepareAll makes the checks of runs, of detached ones up to where a declaration is asked for.
func (r *setReader) prepareAll(s share) []setRun {
	runs := make([]setRun, s.last-s.first)
	for i := range runs {
		at := s.first + i
		start := 0
		if at > 0 {
			start = s.ends[at-1]
		}
		r.prepare(&runs[i], s.index+uint64(at), slices.Clone(s.text[start:s.ends[at]]))
	}
	return runs
}

// prepare makes the checks of the run at index, of a detached one up to where its declaration is asked for. The run keeps form.
func (r *setReader) prepare(run *setRun, index uint64, form []byte) {
	run.set = &evidence.InSet{Head: r.head.head, Index: index}
	inclusion := passed(evidence.CheckInclusion, run.set.String()+", and all of the set was read")
	run.inclusion, run.statement = &inclusion, form
	m := jsontree.Borrow()
	defer m.Return()
	run.content, run.err = readStatement(m.Read, form)
	if !r.asksFor(run.content) {
		run.finish(run.err, Expect{})
		run.ready = true
	}
}

// asksFor says whether the declaration of what was read of a run is to be asked for.
func (r *setReader) asksFor(c *content) bool {
	return c != nil && c.ref != nil && r.runs.Declaration != nil
}

// verify verifies a run.
func (r *setReader) verify(run setRun) (*Verified, error) {
	if !run.ready {
		given, err := r.runs.Declaration(run.content.id)
		if err != nil {
			return nil, err
		}
		run.finish(run.err, Expect{Declaration: given})
	}
	return r.head.by.conclude(r.head.result, run.runChecks, run.statement)
}
