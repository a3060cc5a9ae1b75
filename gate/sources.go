package gate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
)

// ApprovalSource is where the approvals of runs are. It is read for each decision, so that one that is made again sees
// what has been added meanwhile.
type ApprovalSource interface {
	// Approvals gives the bundles that may be approvals, or rejections, of these runs; it may give more. After an error
	// nothing is decided: a rejection might be missing.
	Approvals(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error]
}

// LineageSource is where the bundles of runs and of those from which they descend are. It is read for each decision.
type LineageSource interface {
	// Lineage gives the bundles of these runs and of their ancestors, or of all runs where it is asked for none; it may
	// give more. An Input that comes with an error has the name of what could not be read. After an error that wraps a
	// *registry.SkippedError the source goes on, and what was skipped is missing from the lineage; after any other
	// nothing is decided.
	Lineage(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error]
}

// ApprovalList are approvals in memory; the zero value has none. It is to be filled before it is read.
type ApprovalList struct {
	list []policy.Approval
	tally
}

var _ ApprovalSource = (*ApprovalList)(nil)

// Add takes in a bundle, by the name that reports call it by. More than a decision looks at, or than memory should
// hold, is an error.
func (l *ApprovalList) Add(name string, bundle []byte) error {
	if l == nil {
		return errors.New("no list of approvals: it is nil")
	}
	b, err := attest.ParseBundle(bundle)
	if err == nil {
		err = l.count(len(bundle))
	}
	if err != nil {
		return err
	}
	l.list = append(l.list, policy.Approval{Source: name, Bundle: b})
	return nil
}

// Approvals gives all of them, whichever runs are asked for.
func (l *ApprovalList) Approvals(context.Context, []identity.ID) iter.Seq2[policy.Approval, error] {
	l = zero.IfNil(l)
	return func(yield func(policy.Approval, error) bool) {
		for _, a := range l.list {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// ReadApprovals reads a source once, for many decisions about one moment. A repository of runs gives the approvals of the runs
// that are named here alone, and an error where none is.
func ReadApprovals(ctx context.Context, from ApprovalSource, runs ...identity.ID) (*ApprovalList, error) {
	list, err := collect(ctx, from, runs)
	if err != nil {
		return nil, err
	}
	return &ApprovalList{list: list, tally: tally{number: len(list)}}, nil
}

// tally bounds the approvals from one place: their number, by what a decision reads, and their size, by what memory should
// hold.
type tally struct{ number, size int }

func (t *tally) count(size int) error {
	t.number++
	switch t.size += size; {
	case t.number > limits.Approvals:
		return fmt.Errorf("more than %d approvals", limits.Approvals)
	case t.size > limits.ApprovalsSize:
		return fmt.Errorf("more than %d bytes of approvals", limits.ApprovalsSize)
	}
	return nil
}

// collect reads a source to its end. What could not be read, or is more than a decision looks at, is an error.
func collect(ctx context.Context, from ApprovalSource, runs []identity.ID) ([]policy.Approval, error) {
	var list []policy.Approval
	for a, err := range JoinApprovals(from).Approvals(ctx, slices.Clone(runs)) {
		if err == nil && len(list) == limits.Approvals {
			err = fmt.Errorf("more than %d approvals in all places together", limits.Approvals)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, ctx.Err() // which may be why the sequence has ended
}

// LineageList are bundles in memory.
type LineageList []lineage.Input

var _ LineageSource = LineageList(nil)

// Lineage gives all of them, whichever runs are asked for.
func (l LineageList) Lineage(context.Context, []identity.ID) iter.Seq2[lineage.Input, error] {
	return func(yield func(lineage.Input, error) bool) {
		for _, in := range l {
			if !yield(in, nil) {
				return
			}
		}
	}
}

// JoinApprovals reads one source after the other. One that is nil is an error when it is read.
func JoinApprovals(sources ...ApprovalSource) ApprovalSource {
	return joinedApprovals(slices.Clone(sources))
}

type joinedApprovals []ApprovalSource

func (j joinedApprovals) Approvals(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error] {
	return func(yield func(policy.Approval, error) bool) {
		for _, source := range j {
			var all iter.Seq2[policy.Approval, error]
			if source != nil {
				all = source.Approvals(ctx, runs)
			}
			if all == nil {
				yield(policy.Approval{}, errors.New("no source of approvals: it, or its sequence, is nil"))
				return
			}
			for a, err := range all {
				if !yield(a, err) {
					return
				}
			}
		}
	}
}

// JoinLineage reads one source after the other. Each is asked for the parents that the bundles before it name, too, so
// that a lineage whose runs are in several places is found if those of the children come first. One that is nil is an error
// when it is read.
func JoinLineage(sources ...LineageSource) LineageSource { return joinedLineage(slices.Clone(sources)) }

type joinedLineage []LineageSource

func (j joinedLineage) Lineage(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
	return func(yield func(lineage.Input, error) bool) {
		wanted, known := slices.Clone(of), map[identity.ID]bool{}
		for i, source := range j {
			var all iter.Seq2[lineage.Input, error]
			if list, ok := source.(*LineageList); source != nil && (!ok || list != nil) { // whose method takes a list
				all = source.Lineage(ctx, slices.Clone(wanted))
			}
			if all == nil {
				yield(lineage.Input{}, errors.New("no source of a lineage: it, or its sequence, is nil"))
				return
			}
			for in, err := range all {
				if err == nil && len(of) > 0 && i+1 < len(j) {
					for _, parent := range claimedParents(in) {
						if !known[parent] {
							known[parent], wanted = true, append(wanted, parent)
						}
					}
				}
				if !yield(in, err) {
					return
				}
			}
		}
	}
}

// claimedParents are the parents that a bundle names: where to look, and nothing to believe.
func claimedParents(in lineage.Input) []identity.ID {
	if in.Declaration != nil {
		return in.Declaration.Parents()
	}
	b, err := attest.ParseBundle(in.Data)
	if err != nil {
		return nil
	}
	s, err := b.UnverifiedStatement()
	if err != nil || s.Declaration == nil {
		return nil
	}
	d, err := identity.Parse(s.Declaration)
	if err != nil {
		return nil
	}
	return d.Parents()
}
