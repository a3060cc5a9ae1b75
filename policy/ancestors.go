package policy

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy/internal/rules"
)

// errNoLineage says why a rule that reads `ancestors` is not met if none were given.
var errNoLineage = errors.New("it asks for the run's ancestors, and none were given: give the bundles of the ancestors as its lineage")

// NeedsLineage says whether a rule reads `ancestors`, so that Given.Lineage decides something.
func (p *Policy) NeedsLineage() bool {
	return zero.IfNil(p).set.ReadsAncestors()
}

// ancestry finds the ancestors of a run that was verified: all of them, or why not.
func ancestry(v *attest.Verified, graph *lineage.Graph) func() (iter.Seq[lineage.Ancestor], error) {
	return func() (iter.Seq[lineage.Ancestor], error) {
		switch {
		case len(v.Declaration().Parents()) == 0:
			return func(func(lineage.Ancestor) bool) {}, nil
		case graph == nil:
			return nil, errNoLineage
		}
		return graph.Ancestors(v)
	}
}

// ancestor is one of a run's ancestors, with what its approvals come to.
type ancestor struct {
	lineage.Ancestor
	approved  bool
	approvals rules.Approvals
}

// value is the ancestor as rules see it.
func (a *ancestor) value() rules.Ancestor {
	signers := make([]rules.Signer, len(a.Signers))
	for i, s := range a.Signers {
		signers[i] = signerOf(s)
	}
	return rules.Ancestor{
		ID: a.ID.String(), Kind: string(a.Kind), Parents: namesOfRuns(a.Parents), Signers: signers,
		Approved: a.approved, Approvals: a.approvals, DeclaredBy: a.DeclaredBy,
	}
}

// ancestorsOf are the run's ancestors for the rules, each with the approvals that count for it. They are not known if what an approver
// has signed about one of them cannot be read: a rule may ask for rejections.
func (p *Policy) ancestorsOf(s subject) ([]func() rules.Ancestor, error) {
	found, err := s.ancestors()
	if err != nil {
		return nil, err
	}
	var all []func() rules.Ancestor
	var unread error
	for a := range found {
		if len(all) == limits.Ancestors {
			return nil, fmt.Errorf("the run has more than %d ancestors", limits.Ancestors)
		}
		one := &ancestor{Ancestor: a}
		if all = append(all, one.value); len(s.stated[a.ID]) > 0 {
			if err := p.approvals.judge(one, s.stated[a.ID], s); unread == nil {
				unread = err
			}
		}
	}
	return all, unread
}

// judge finds the statements that count for an ancestor, and whether they approve it. Each is judged once, however
// many ancestors there are. The report lists the result of each. The error is of one that cannot be read.
func (a *approvals) judge(one *ancestor, stated []statedDecision, s subject) (err error) {
	var results []ApprovalResult
	for _, o := range stated {
		results = append(results, o.about(one.ID, one.Signers, s.asOf))
	}
	oneByEachKey(results)
	for i, o := range stated {
		r := results[i]
		if r.unread && err == nil {
			err = fmt.Errorf("what %s has signed about the ancestor %s cannot be read, and may be a rejection: %s", r.Approver, one.ID, r.Why)
		}
		switch told := &s.approvals[o.index]; {
		case told.Counted || told.unread || one.ID == s.id:
		case r.unread:
			told.Why = fmt.Sprintf("%s; it may be a rejection of the ancestor %s", r.Why, one.ID)
		case r.Counted:
			told.Why, told.Ancestor = fmt.Sprintf("is about an ancestor, %s", one.ID), one.ID
		default:
			told.Why = fmt.Sprintf("is about an ancestor, %s, and %s", one.ID, r.Why)
		}
	}
	one.approved, one.approvals = a.approved(results), approvalsOf(results)
	return err
}

// approved says whether the approvals of an ancestor are those that the policy asks of a run: all that it
// requires, one at least, and no rejection. A policy that names no approvers approves nothing.
func (a *approvals) approved(results []ApprovalResult) bool {
	return a != nil &&
		slices.ContainsFunc(results, func(r ApprovalResult) bool { return r.Counted && r.Decision == Approved }) &&
		len(a.denials(results)) == 0
}
