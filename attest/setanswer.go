package attest

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/settree"
)

// VerifyAll verifies the runs of the set, and gives one answer for all of them: how many are refused, which is 0 if the set is
// verified, and the report of the first of these. It decides as VerifyRuns does: its error is a *VerificationError without a
// run if the runs are not those that the head is of, or what would end VerifyRuns. It reads the set once, on all cores.
//
// It holds 16 MiB of Statements at most, or the largest of them.
func (h *VerifiedHead) VerifyAll(ctx context.Context, runs SetRuns) (refused uint64, first Report, err error) {
	if h == nil || h.by == nil || runs.Read == nil {
		return 0, Report{}, errNoSet
	}
	a := &answerer{setReader: setReader{head: h, runs: runs}, tree: settree.NewBuilder(runs.Seed)}
	a.set, a.inclusion = &evidence.InSet{Head: h.head}, passed(evidence.CheckInclusion, "")
	for s := range inorder.Map(runtime.GOMAXPROCS(0), a.shares(ctx), (*setShare).size, a.check) {
		a.take(s)
		a.spare.Put(s)
	}
	if a.err == nil {
		a.err = a.compare(a.tree)
	}
	if a.malformedText { // no other goroutine reads any more
		a.err = a.malformed(a.tree.Size(), a.err)
	}
	if err := cmp.Or(a.err, a.undeclared); err != nil {
		return 0, Report{}, err
	}
	return a.refused, a.first, nil
}

// answerer reads a set once.
type answerer struct {
	setReader
	tree    *settree.Builder
	refused uint64
	first   Report // of those that are refused

	err           error // why there is no answer, or the set is not what was signed
	malformedText bool  // err is about the text of the Statement after those in the tree
	undeclared    error // of asking for a declaration, which counts only if the set is what was signed
	ended         atomic.Bool
	spare         sync.Pool // of *setShare

	// What is said of each run, until one is found that is not verified.
	set       *evidence.InSet
	inclusion evidence.Check
}

// setShare is Statements that follow each other, and what was found of them.
type setShare struct {
	index uint64 // of the first
	text  []byte
	ends  []int
	err   error // of reading what follows them

	sums          []settree.Hash
	malformedText bool     // err is about the text of the Statement after those that have sums
	others        []setRun // those that are not verified by what is in the share

	salts  *settree.Builder
	tree   jsontree.Memory
	checks [runChecksMost]evidence.Check
}

func (s *setShare) size() int { return len(s.text) }

// next is an empty share.
func (a *answerer) next(index uint64) *setShare {
	s, _ := a.spare.Get().(*setShare)
	if s == nil || cap(s.text) > 2*limits.SetShare {
		s = &setShare{salts: settree.NewBuilder(a.runs.Seed), text: make([]byte, 0, limits.SetShare*5/4)}
	}
	s.index, s.text, s.ends, s.sums = index, s.text[:0], s.ends[:0], s.sums[:0]
	s.others, s.err, s.malformedText = s.others[:0], nil, false
	return s
}

// shares reads the set, until there is an error or no need of more.
func (a *answerer) shares(ctx context.Context) iter.Seq[*setShare] {
	return func(yield func(*setShare) bool) {
		s, index := a.next(0), uint64(0)
		for text, err := range a.runs.Read() {
			if s.err = errors.Join(err, ctx.Err()); s.err != nil {
				break
			}
			s.text = append(s.text, text...)
			s.ends = append(s.ends, len(s.text))
			if index++; len(s.text) < limits.SetShare {
				continue
			}
			if !yield(s) || a.ended.Load() {
				return
			}
			s = a.next(index)
		}
		if len(s.ends) > 0 || s.err != nil {
			yield(s)
		}
	}
}

// check makes the checks of the runs of a share, of detached ones up to where a declaration is asked for.
func (a *answerer) check(s *setShare) *setShare {
	start := 0
	for _, end := range s.ends {
		root, err := s.tree.Read(s.text[start:end:end], payloadRules)
		if err == nil {
			err = checkRunText(root.Raw())
		}
		if err != nil {
			s.err, s.malformedText = err, true
			return s
		}
		form, index := root.Raw(), s.index+uint64(len(s.sums))
		s.sums = append(s.sums, s.salts.Leaf(index, form))
		if !a.isVerified(s, root) {
			s.others = append(s.others, setRun{})
			a.prepare(&s.others[len(s.others)-1], index, form)
		}
		start = end
	}
	return s
}

// isVerified says whether a run is, if it is in the set: what it decides by lives no longer than the call. Where it is false the
// long way decides.
func (a *answerer) isVerified(s *setShare, root jsontree.Value) bool {
	content, err := readTree(root)
	if err != nil || content.ref != nil {
		return false
	}
	run := runChecks{content: content, set: a.set, inclusion: &a.inclusion}
	run.finish(nil, Expect{})
	_, verified := run.decide(a.head.result, s.checks[:])
	return verified
}

// take adds a share to the tree, and counts its runs. After an error it waits for the end.
func (a *answerer) take(s *setShare) {
	if a.err != nil {
		return
	}
	for _, sum := range s.sums {
		if a.tree.Size() == a.head.head.Size {
			a.end(a.tooMany())
			return
		}
		if err := a.tree.AddLeaf(sum); err != nil {
			a.end(err)
			return
		}
	}
	if a.malformedText = s.malformedText; s.err != nil {
		a.end(s.err)
		return
	}
	for _, run := range s.others {
		a.count(run)
	}
}

func (a *answerer) end(err error) {
	a.err = err
	a.ended.Store(true)
}

// count counts a run that is not verified by what is in the set alone.
func (a *answerer) count(run setRun) {
	if a.undeclared != nil {
		return
	}
	_, err := a.verify(run)
	no := (*VerificationError)(nil)
	switch {
	case err == nil:
	case !errors.As(err, &no):
		a.undeclared = err
	default:
		if a.refused++; a.refused == 1 {
			a.first = no.Report
		}
	}
}
