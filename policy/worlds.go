package policy

import (
	"iter"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/policy/internal/rules"
)

// worlds are the runs that the policy allows if its rules do: their kinds, their signers, and with each signer the approvals that
// suffice. possible are the texts of a run that neither kinds nor signers deny.
func (p *Policy) worlds(possible map[string][]string) *rules.Worlds {
	w := &rules.Worlds{
		Known: map[string]bool{"Declaration.kind": true, "Run.kind": true, "Approval.decision": true},
		Kinds: kindWords,
		Dated: p.time.evidence == evidenceTimestamp,
		Left:  limits.Worlds,
	}
	if p.kinds != nil {
		w.Kinds = possible["Run.kind"]
	}
	for _, member := range []string{"Signer.kind", "Signer.name", "Signer.issuer", "Signer.algorithm"} {
		_, w.Known[member] = possible[member]
	}
	signers := p.signers.list()
	for _, s := range signers {
		one := rules.Signer{Kind: evidence.SignedByCertificate}
		if s.key != nil {
			one = rules.Signer{Kind: evidence.SignedByKey, Name: s.key.Name, Algorithm: string(s.key.Key.Algorithm())}
		} else {
			one.Name, one.Issuer = s.cert.SubjectAlternativeName.Text(), s.cert.Issuer.Text()
		}
		w.Signers = append(w.Signers, one)
	}
	if p.approvals == nil {
		return w
	}
	w.Many = len(p.approvals.approvers) > arranged
	w.Approvals = func(signer int, named map[string]bool) iter.Seq[rules.Approvals] {
		var may []ApprovalResult
		for _, one := range p.approvals.approvers {
			if why, _ := p.cannotApprove(one, signers[signer]); why == "" {
				may = append(may, ApprovalResult{Counted: true, Approver: one.name, Role: one.role, Decision: Approved})
			}
		}
		switch {
		case !w.Many:
			return p.approvals.arrangements(may, nil)
		case named == nil:
			return p.approvals.sizes(may)
		}
		return p.approvals.arrangements(may, p.approvals.alike(named))
	}
	w.Few = func(named map[string]bool) bool { return p.approvals.orders(p.approvals.alike(named)) <= limits.Orders }
	return w
}

var arranged = limits.Arranged // tests have it lower

// alike gives each approver a group, of which any is as good as another for an expression that does nothing with texts but to compare
// them with these, and with each other: those of one role whose names differ from all other texts, and those who alone have a role,
// if that differs from all other texts, too.
func (a *approvals) alike(named map[string]bool) map[string]string {
	names, holders := map[string]bool{}, map[string]int{}
	for _, one := range a.approvers {
		names[one.name] = true
		holders[one.role]++
	}
	groups := map[string]string{}
	for _, one := range a.approvers {
		switch {
		case named[one.name] || holders[one.name] > 0 || one.name == string(Approved):
			groups[one.name] = "name " + one.name
		case holders[one.role] == 1 && !named[one.role] && !names[one.role] && one.role != "" && one.role != string(Approved) && a.roles[one.role] == 0:
			groups[one.name] = "any"
		default:
			groups[one.name] = "role " + one.role
		}
	}
	return groups
}

// orders is how many lists arrangements would make, of all approvers.
func (a *approvals) orders(groups map[string]string) float64 {
	sizes := map[string]int{}
	for _, group := range groups {
		sizes[group]++
	}
	ways := []float64{1} // by length, divided by the factorial of it
	for _, size := range sizes {
		next := make([]float64, len(ways)+size)
		factor := 1.0
		for n := range size + 1 {
			if n > 0 {
				factor /= float64(n)
			}
			for length, w := range ways {
				next[length+n] += w * factor
			}
		}
		ways = next
	}
	all, factorial := 0.0, 1.0
	for n, w := range ways {
		if n > 0 {
			factorial *= float64(n)
		}
		all += w * factorial
	}
	return all
}

// arrangements are the lists of approvals of these that suffice, in every order in which they can be given; of those of one group, in
// one order.
func (a *approvals) arrangements(of []ApprovalResult, groups map[string]string) iter.Seq[rules.Approvals] {
	var given []ApprovalResult
	isGiven := map[string]bool{} // by approver
	var arrange func(yield func(rules.Approvals) bool) bool
	arrange = func(yield func(rules.Approvals) bool) bool {
		if len(a.denials(given)) == 0 && !yield(approvalsOf(given)) {
			return false
		}
		tried := map[string]bool{} // groups, of which one after these was
		for _, one := range of {
			group := groups[one.Approver]
			if isGiven[one.Approver] || groups != nil && tried[group] {
				continue
			}
			tried[group] = true
			given, isGiven[one.Approver] = append(given, one), true
			more := arrange(yield)
			given, isGiven[one.Approver] = given[:len(given)-1], false
			if !more {
				return false
			}
		}
		return true
	}
	return func(yield func(rules.Approvals) bool) {
		given = nil
		clear(isGiven)
		arrange(yield)
	}
}

// sizes is a list of each length that suffices, of approvals by these, whose approvers and roles are not to be looked at.
func (a *approvals) sizes(of []ApprovalResult) iter.Seq[rules.Approvals] {
	return func(yield func(rules.Approvals) bool) {
		for n := a.required; n <= len(of); n++ {
			if !yield(approvalsOf(of[:n])) {
				return
			}
		}
	}
}
