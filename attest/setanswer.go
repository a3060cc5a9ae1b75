package attest

import (
	"cmp"
	"context"
	"errors"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/jsontree"
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
	a := &answerer{setReader: setReader{head: h, runs: runs}}
	a.set, a.inclusion = &evidence.InSet{Head: h.head}, passed(evidence.CheckInclusion, "")
	tree, err := a.read(ctx, a.look, a.take)
	if err == nil {
		err = a.compare(tree)
	}
	if err := cmp.Or(err, a.undeclared); err != nil {
		return 0, Report{}, err
	}
	return a.refused, a.first, nil
}

// answerer reads a set once.
type answerer struct {
	setReader
	refused    uint64
	first      Report // of those that are refused
	undeclared error  // of asking for a declaration, which counts only if the set is what was signed

	// What is said of each run, until one is found that is not verified.
	set       *evidence.InSet
	inclusion evidence.Check
}

// look keeps a run that is not verified by what is in the set alone.
func (a *answerer) look(s *setShare, index uint64, root jsontree.Value) {
	if !a.isVerified(s, root) {
		s.found = append(s.found, setRun{})
		a.prepare(&s.found[len(s.found)-1], index, root)
	}
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
	_, verified := run.decide(&a.head.result, s.checks[:])
	return verified
}

// take counts the runs of a share that are not verified.
func (a *answerer) take(s *setShare) error {
	for i := range s.found {
		a.count(&s.found[i])
	}
	a.spare.Put(s)
	return nil
}

// count counts a run that is not verified by what is in the set alone.
func (a *answerer) count(run *setRun) {
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
