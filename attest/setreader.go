package attest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/settree"
)

// setReader reads the runs of a set on all cores, a share of them at a time.
type setReader struct {
	head  *VerifiedHead
	runs  SetRuns
	own   bool        // each Statement is in memory of its own, which a caller may keep
	ended atomic.Bool // no more is to be read
	spare sync.Pool   // of *setShare
}

// setShare is Statements that follow each other, and what was found of them.
type setShare struct {
	index uint64 // of the first
	text  []byte
	ends  []int
	err   error // of reading what follows them

	sums          []settree.Hash
	malformedText bool     // err is about the text of the Statement after those that have sums
	found         []setRun // what a reading keeps of runs

	salts  *settree.Builder
	tree   jsontree.Memory
	checks [runChecksMost]evidence.Check
}

func (s *setShare) size() int { return len(s.text) }

// next is an empty share.
func (r *setReader) next(index uint64) *setShare {
	s, _ := r.spare.Get().(*setShare)
	if s == nil || cap(s.text) > 2*limits.SetShare {
		s = &setShare{salts: settree.NewBuilder(r.runs.Seed), text: make([]byte, 0, limits.SetShare*5/4)}
	}
	s.index, s.text, s.ends, s.sums = index, s.text[:0], s.ends[:0], s.sums[:0]
	s.found, s.err, s.malformedText = s.found[:0], nil, false
	return s
}

var errNoRuns = errors.New("run set: its Read gives no runs: it is nil")

// shares reads the set, until there is an error or no need of more.
func (r *setReader) shares(ctx context.Context) iter.Seq[*setShare] {
	return func(yield func(*setShare) bool) {
		s, index := r.next(0), uint64(0)
		runs := r.runs.Read()
		if runs == nil {
			s.err = errNoRuns
			yield(s)
			return
		}
		for text, err := range runs {
			if s.err = errors.Join(err, ctx.Err()); s.err != nil {
				break
			}
			s.text = append(s.text, text...)
			s.ends = append(s.ends, len(s.text))
			if index++; len(s.text) < limits.SetShare {
				continue
			}
			if !yield(s) || r.ended.Load() {
				return
			}
			s = r.next(index)
		}
		if len(s.ends) > 0 || s.err != nil {
			yield(s)
		}
	}
}

// read reads the set once, and gives the tree of all Statements. look is given each run, by several goroutines at once, and is
// to keep what it wants of it in the share's found; take is given the shares in their order, once they are in the tree. After
// an error it waits for what is being read.
func (r *setReader) read(ctx context.Context, look func(*setShare, uint64, jsontree.Value), take func(*setShare) error) (*settree.Builder, error) {
	tree := settree.NewBuilder(r.runs.Seed)
	var failed error
	malformedText := false
	for s := range inorder.Map(runtime.GOMAXPROCS(0), r.shares(ctx), (*setShare).size, func(s *setShare) *setShare { return s.check(r.own, look) }) {
		if failed != nil {
			continue
		}
		if failed = r.add(tree, s.sums); failed == nil {
			failed, malformedText = s.err, s.malformedText
		}
		if failed == nil {
			failed = take(s)
		}
		if failed != nil {
			r.ended.Store(true)
		}
	}
	if malformedText { // no other goroutine reads any more
		failed = r.malformed(tree.Size(), failed)
	}
	return tree, failed
}

// check hashes the runs of a share, and has look look at them.
func (s *setShare) check(own bool, look func(*setShare, uint64, jsontree.Value)) *setShare {
	start := 0
	for _, end := range s.ends {
		text := s.text[start:end:end]
		if own {
			text = slices.Clone(text)
		}
		root, err := s.tree.Read(text, payloadRules)
		if err == nil && root.Kind() != jsontree.Object {
			err = errors.New("is not an object, want a statement")
		}
		if err != nil {
			s.err, s.malformedText = err, true
			return s
		}
		index := s.index + uint64(len(s.sums))
		s.sums = append(s.sums, s.salts.Leaf(index, root.Raw()))
		look(s, index, root)
		start = end
	}
	return s
}

// add adds leaves to the tree.
func (r *setReader) add(tree *settree.Builder, sums []settree.Hash) error {
	for _, sum := range sums {
		if tree.Size() == r.head.head.Size {
			return r.no("there are more runs than the %d that are signed", r.head.head.Size)
		}
		if err := tree.AddLeaf(sum); err != nil {
			return err
		}
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

// no is the answer for the set, of which no run is given.
func (r *setReader) no(format string, args ...any) error {
	checks := append(r.head.Report().Checks, evidence.Failed(evidence.CheckInclusion, evidence.CodeInclusion, format, args...))
	return &VerificationError{Report{Checks: checks}}
}

// reporter reads the runs of a set twice. The first reading notes the hash of each window; the second gives the runs of a window
// once all of it was read again, and is the same.
type reporter struct {
	setReader
	windows []settree.Hash // of the first reading, those that the second has not come to
	held    window
}

// window is shares that follow each other, until they have limits.SetWindow bytes.
type window struct {
	shares []*setShare // of the second reading
	sums   []byte
	size   int
}

func (w *window) add(s *setShare) (full bool) {
	for _, sum := range s.sums {
		w.sums = append(w.sums, sum[:]...)
	}
	w.size += len(s.text)
	return w.size >= limits.SetWindow
}

// close gives the hash of the window, and begins the next.
func (w *window) close() settree.Hash {
	sum := sha256.Sum256(w.sums)
	w.shares, w.sums, w.size = w.shares[:0], w.sums[:0], 0
	return sum
}

// confirm is the first reading: it finds that the set is what was signed.
func (r *reporter) confirm(ctx context.Context) error {
	var w window
	tree, err := r.read(ctx, func(*setShare, uint64, jsontree.Value) {}, func(s *setShare) error {
		if w.add(s) {
			r.windows = append(r.windows, w.close())
		}
		r.spare.Put(s)
		return nil
	})
	if err != nil {
		return err
	}
	if w.size > 0 {
		r.windows = append(r.windows, w.close())
	}
	return r.compare(tree)
}

// errEnough says that the caller wants no more runs.
var errEnough = errors.New("enough")

// report is the second reading.
func (r *reporter) report(ctx context.Context, yield func(*Verified, error) bool) error {
	r.own = true
	_, err := r.read(ctx, r.keep, func(s *setShare) error {
		full := r.held.add(s)
		if r.held.shares = append(r.held.shares, s); full {
			return r.give(yield)
		}
		return nil
	})
	if err == nil && r.held.size > 0 {
		err = r.give(yield)
	}
	if no := (*VerificationError)(nil); errors.As(err, &no) || err == nil && len(r.windows) > 0 { // more runs than before, or fewer
		return ErrSetChanged
	}
	return err
}

// keep makes the checks of a run, and keeps it.
func (r *reporter) keep(s *setShare, index uint64, root jsontree.Value) {
	s.found = append(s.found, setRun{})
	r.prepare(&s.found[len(s.found)-1], index, root)
}

// give gives the runs of the window that was read, if it is the same again.
func (r *reporter) give(yield func(*Verified, error) bool) error {
	shares := r.held.shares
	if sum := r.held.close(); len(r.windows) == 0 || sum != r.windows[0] {
		return ErrSetChanged
	}
	r.windows = r.windows[1:]
	for _, s := range shares {
		for i := range s.found {
			v, err := r.verify(&s.found[i])
			if no := (*VerificationError)(nil); err != nil && !errors.As(err, &no) {
				return err
			}
			if !yield(v, err) {
				return errEnough
			}
		}
		r.spare.Put(s)
	}
	return nil
}

// setRun is a run that is known to be in the set.
type setRun struct {
	runChecks
	form  []byte
	err   error // of reading the statement
	ready bool  // all checks are made
}

// prepare makes the checks of the run at index, of a detached one up to where its declaration is asked for. The run keeps the
// text of root, and not root.
func (r *setReader) prepare(run *setRun, index uint64, root jsontree.Value) {
	run.set = &evidence.InSet{Head: r.head.head, Index: index}
	inclusion := passed(evidence.CheckInclusion, run.set.String()+", and all of the set was read")
	run.inclusion, run.form = &inclusion, root.Raw()
	run.content, run.err = readTree(root)
	if !r.asksFor(&run.content) {
		run.finish(run.err, Expect{})
		run.ready = true
	}
}

// asksFor says whether the declaration of what was read of a run is to be asked for.
func (r *setReader) asksFor(c *content) bool {
	return c.ref != nil && r.runs.Declaration != nil
}

// verify verifies a run.
func (r *setReader) verify(run *setRun) (*Verified, error) {
	if !run.ready {
		given, err := r.runs.Declaration(run.content.id)
		if err != nil {
			return nil, err
		}
		run.finish(run.err, Expect{Declaration: given})
	}
	return r.head.by.conclude(&r.head.result, &run.runChecks, run.form)
}
