package gate

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// TestCrowd: whatever one place has, and however much of it, a rejection in another place is not overlooked: it counts, or
// what there is too much of is an error that says where.
func TestCrowd(t *testing.T) {
	s := newSite(t, "")
	d := s.declare("m")
	good := s.run(s.ci, d)
	eve := newKey(t)
	claim := must(policy.NewApproval(policy.ApprovalStatement{Identity: d.ID(), Decision: policy.Approved, Reason: "mine"}))
	crowd := policy.Approval{Source: "eve's", Bundle: s.sign(eve, claim)}
	of := func(n int) ApprovalSource {
		return approvalFunc(func(context.Context, []identity.ID) iter.Seq2[policy.Approval, error] {
			return func(yield func(policy.Approval, error) bool) {
				for range n {
					if !yield(crowd, nil) {
						return
					}
				}
			}
		})
	}
	list := func(bundles ...*attest.Bundle) *ApprovalList {
		var l ApprovalList
		for i, b := range bundles {
			if err := l.Add(fmt.Sprint(i), must(b.Marshal())); err != nil {
				t.Fatal(err)
			}
		}
		return &l
	}
	stored := func(bundles ...[]byte) *Repository {
		dir := filepath.Join(t.TempDir(), "runs.tar")
		if err := registry.CreateLayout(dir); err != nil {
			t.Fatal(err)
		}
		r := NewRepository(must(registry.Open(must(registry.ParseReference("oci-layout://"+dir)), registry.Options{})))
		if _, _, err := r.target.PushRun(t.Context(), d, bundles...); err != nil {
			t.Fatal(err)
		}
		return r
	}
	var many [][]byte
	for range 20 {
		many = append(many, must(s.sign(newKey(t), claim).Marshal()))
	}
	no := s.says(policy.Rejected, d.ID()).Bundle
	const rejected, tooMany = "rejected by alice", "more than 10000 approvals in all places together"
	for name, c := range map[string]struct {
		crowd ApprovalSource
		want  string
	}{
		"nothing":      {of(0), rejected},
		"many":         {of(30), rejected},
		"as many":      {of(limits.Approvals), tooMany},
		"without end":  {of(1 << 40), tooMany},
		"a repository": {stored(many...), rejected},
		"a list":       {list(crowd.Bundle, crowd.Bundle), rejected},
	} {
		for place, other := range map[string]ApprovalSource{"a list": list(no), "a repository": stored(must(no.Marshal()))} {
			for order, both := range map[string][]ApprovalSource{"first": {c.crowd, other}, "last": {other, c.crowd}} {
				refuses(t, fmt.Sprintf("%s comes %s, and the rejection is in %s", name, order, place),
					s.admit(t.Context(), Request{Bundle: good, Approvals: JoinApprovals(both...)}), c.want)
			}
		}
	}
	if a := s.admit(t.Context(), Request{Bundle: good, Approvals: JoinApprovals(of(30), stored(many...), list(crowd.Bundle))}); !a.Allowed() {
		t.Errorf("without the rejection: %v", a.Reasons())
	}
}

// TestReadOnce: what was read counts as what is added.
func TestReadOnce(t *testing.T) {
	s := newSite(t, "")
	one := s.says(policy.Approved, s.declare("m").ID())
	full, err := ReadApprovals(t.Context(), approvals(nil, slices.Repeat([]policy.Approval{one}, limits.Approvals)...))
	if err != nil {
		t.Fatal(err)
	}
	if err := full.Add("one more", must(one.Bundle.Marshal())); err == nil {
		t.Error("more than a decision looks at")
	}
}
