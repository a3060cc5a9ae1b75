package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy/internal/rules"
)

// values are what rules see of a run, and by which table they see what is open.
func (p *Policy) values(s subject) (seen rules.Values, openBy string) {
	v := rules.Values{
		Declaration: s.declaration.Canonical,
		Run:         rules.Run{ID: s.id.String(), Kind: string(s.declaration.Kind()), Parents: namesOfRuns(s.declaration.Parents())},
		Signer:      signerOf(s.signer),
		Time:        timeOf(s.times),
		Annotations: s.annotations,
		Approvals:   approvalsOf(s.approvals),
		Now:         s.now,
	}
	if p.set.ReadsOpen() {
		v.Open, openBy = p.capture.opened(s.declaration)
	}
	if p.NeedsLineage() {
		v.Ancestors, v.NoAncestors = p.ancestorsOf(s)
	}
	return v, openBy
}

func namesOfRuns(ids []identity.ID) []string {
	var all []string
	for _, id := range ids {
		all = append(all, id.String())
	}
	return all
}

func signerOf(s evidence.SignerIdentity) rules.Signer {
	return rules.Signer{Kind: s.Kind, Name: s.Name, Issuer: s.Issuer, Algorithm: s.Algorithm}
}

func timeOf(times []evidence.TrustedTime) rules.Time {
	var all rules.Time
	for _, t := range times {
		all.Timestamps = append(all.Timestamps, rules.Timestamp{Kind: t.Kind, Authority: t.Authority, Time: t.Time, Accuracy: t.Accuracy})
	}
	if len(times) > 0 {
		all.Earliest, all.Latest = earliest(times), slices.MaxFunc(times, byTime).Latest()
	}
	return all
}

func byTime(a, b evidence.TrustedTime) int { return a.Latest().Compare(b.Latest()) }

// earliest is by when a signature is proved to have existed, as the first authority saw it, zero if none did.
func earliest(times []evidence.TrustedTime) time.Time {
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, byTime).Latest()
}

// first is the first of the instants that the function takes from the times, zero without any.
func first(times []evidence.TrustedTime, of func(evidence.TrustedTime) time.Time) time.Time {
	var found time.Time
	for _, t := range times {
		if at := of(t); found.IsZero() || at.Before(found) {
			found = at
		}
	}
	return found
}

// approvalsOf are those that count, one for each approver and decision: who says the same twice is one person. All their
// conditions hold, until the first expires.
func approvalsOf(results []ApprovalResult) rules.Approvals {
	type said struct {
		by       string
		decision Verdict
	}
	var people []said
	all := map[said][]ApprovalResult{}
	for _, r := range results {
		if !r.Counted {
			continue
		}
		one := said{r.Approver, r.Decision}
		if all[one] == nil {
			people = append(people, one)
		}
		all[one] = append(all[one], r)
	}
	if people == nil {
		return rules.Approvals{}
	}
	var list []rules.Approval
	for _, one := range people {
		r := together(all[one])
		list = append(list, rules.Approval{
			Approver: r.Approver, Role: r.Role, Decision: string(r.Decision), Reason: r.Reason, Conditions: r.Conditions, Expires: r.Expires, Time: earliest(r.Times),
		})
	}
	return rules.NewApprovals(list)
}

// together is what one approver says in several approvals, each reason and condition once, because an approval can be given any number of
// times.
func together(same []ApprovalResult) ApprovalResult {
	one := same[0]
	reasons, conditions := once{}, once{}
	one.Times = nil
	for _, r := range same {
		reasons.add(r.Reason)
		for _, c := range r.Conditions {
			conditions.add(c)
		}
		one.Times = append(one.Times, r.Times...)
		if one.Expires.IsZero() || !r.Expires.IsZero() && r.Expires.Before(one.Expires) {
			one.Expires = r.Expires
		}
	}
	one.Reason, one.Conditions = strings.Join(reasons.texts, "; "), conditions.texts
	return one
}

// once are texts in the order in which they were first said.
type once struct {
	texts []string
	said  map[string]bool
}

func (o *once) add(text string) {
	if o.said == nil {
		o.said = map[string]bool{}
	}
	if !o.said[text] {
		o.said[text], o.texts = true, append(o.texts, text)
	}
}
