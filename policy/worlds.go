package policy

import (
	"iter"
	"slices"

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
	arranged := len(p.approvals.approvers) <= limits.Arranged
	w.Known["Approval.approver"], w.Known["Approval.role"] = arranged, arranged
	w.Approvals = func(signer int) iter.Seq[rules.Approvals] {
		var may []ApprovalResult
		for _, one := range p.approvals.approvers {
			if why, _ := p.cannotApprove(one, signers[signer]); why == "" {
				may = append(may, ApprovalResult{Counted: true, Approver: one.name, Role: one.role, Decision: Approved})
			}
		}
		if arranged {
			return p.approvals.arrangements(may)
		}
		return p.approvals.sizes(may)
	}
	return w
}

// arrangements are the lists of approvals of these that suffice, in every order in which they can be given.
func (a *approvals) arrangements(of []ApprovalResult) iter.Seq[rules.Approvals] {
	var given []ApprovalResult
	var arrange func(yield func(rules.Approvals) bool) bool
	arrange = func(yield func(rules.Approvals) bool) bool {
		if len(a.denials(given)) == 0 && !yield(approvalsOf(given)) {
			return false
		}
		for _, one := range of {
			if slices.ContainsFunc(given, func(other ApprovalResult) bool { return other.Approver == one.Approver }) {
				continue
			}
			given = append(given, one)
			more := arrange(yield)
			if given = given[:len(given)-1]; !more {
				return false
			}
		}
		return true
	}
	return func(yield func(rules.Approvals) bool) {
		given = nil
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
