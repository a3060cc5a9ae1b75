package policy

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/lineage"
)

// errNoLineage says why a rule that reads `ancestors` is not met if none were given.
var errNoLineage = errors.New("it asks for the run's ancestors, and none were given: give the bundles of the ancestors as its lineage")

// NeedsLineage says whether a rule reads `ancestors`, so that Given.Lineage decides something.
func (p *Policy) NeedsLineage() bool {
	p = zero.IfNil(p)
	return slices.ContainsFunc(p.rules, func(r *rule) bool { return r.readsAncestors })
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
	approvals ref.Val // nil if there is no statement about it
}

// ancestorList are a run's ancestors as rules see them. A value is made each time one is looked at, and not
// kept, so that there may be many.
type ancestorList struct {
	signers map[evidence.SignerIdentity]ref.Val
	silence ref.Val // no approvals
	meter   *meter
}

var _ types.Adapter = (*ancestorList)(nil)

// ancestorsOf gives the variable `ancestors`.
func (p *Policy) ancestorsOf(s subject, m *meter) (ref.Val, error) {
	found, err := s.ancestors()
	if err != nil {
		return nil, err
	}
	var all []*ancestor
	for a := range found {
		if len(all) == limits.Ancestors {
			return nil, fmt.Errorf("the run has more than %d ancestors", limits.Ancestors)
		}
		one := &ancestor{Ancestor: a}
		if all = append(all, one); len(s.stated[a.ID]) > 0 {
			p.approvals.judge(one, s.stated[a.ID], s)
		}
	}
	k := &ancestorList{map[evidence.SignerIdentity]ref.Val{}, approvalsOf(nil), m}
	return &array{types.NewDynamicList(k, all), 1 + ancestorWeight*uint64(len(all))}, nil
}

// ancestorWeight is what an ancestor weighs when the list is looked at. What a rule then looks at in it
// is counted as any other value is.
const ancestorWeight = 8

// NativeToValue is an ancestor as an object; the list's adapter is asked for nothing else. To make one costs,
// too, since a rule may have the same one made again and again.
func (k *ancestorList) NativeToValue(v any) ref.Val {
	a, ok := v.(*ancestor)
	if !ok {
		return types.DefaultTypeAdapter.NativeToValue(v)
	}
	k.meter.work(4 + len(a.Parents) + len(a.Signers))
	signers := []ref.Val{}
	n := uint64(1)
	for _, s := range a.Signers {
		if k.signers[s] == nil {
			k.signers[s] = signerOf(s)
		}
		signers, n = append(signers, k.signers[s]), n+weight(k.signers[s])
	}
	members := map[string]any{
		"id": a.ID.String(), "kind": string(a.Kind), "parents": parentsOf(a.Parents),
		"signers":  &array{types.NewRefValList(types.DefaultTypeAdapter, signers), n},
		"approved": a.approved, "approvals": k.silence,
	}
	if a.approvals != nil {
		members["approvals"] = a.approvals
	}
	if !a.DeclaredBy.IsZero() {
		members["declaredBy"] = types.Timestamp{Time: a.DeclaredBy}
	}
	object := newObject(members)
	object.label = a.ID.String()
	return object
}

// judge finds the statements that count for an ancestor, and whether they approve it. Each is judged once, however
// many ancestors there are. The report lists the result of each.
func (a *approvals) judge(one *ancestor, stated []statedDecision, s subject) {
	var results []ApprovalResult
	for _, o := range stated {
		r := o.about(one.ID, one.Signers, s.asOf)
		results = append(results, r)
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
}

// approved says whether the approvals of an ancestor are those that the policy asks of a run: all that it
// requires, one at least, and no rejection. A policy that names no approvers approves nothing.
func (a *approvals) approved(results []ApprovalResult) bool {
	return a != nil &&
		slices.ContainsFunc(results, func(r ApprovalResult) bool { return r.Counted && r.Decision == Approved }) &&
		len(a.denials(results)) == 0
}
