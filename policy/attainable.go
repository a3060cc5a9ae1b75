package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/identity"
)

// runSigner is one of those who may sign a run: a key, or a certificate identity.
type runSigner struct {
	key  *attest.TrustedKey
	cert authority.CertificateIdentity
}

func (s runSigner) String() string {
	if s.key != nil {
		return "key " + s.key.Name
	}
	return "a certificate for " + s.cert.SubjectAlternativeName.Text()
}

// isIn reports that every signature of s is one of a signer in the set, where that forbids something.
func (s runSigner) isIn(all signerSet) bool {
	if s.key != nil {
		return slices.ContainsFunc(all.keys, func(k attest.TrustedKey) bool { return k.Key.Hint() == s.key.Key.Hint() })
	}
	return slices.ContainsFunc(all.identities, func(i authority.CertificateIdentity) bool { return i.MayCover(s.cert) })
}

// each is s as one signer for each name that it has, where they are few.
func (s runSigner) each() []runSigner {
	if s.key != nil {
		return []runSigner{s}
	}
	var all []runSigner
	for _, i := range s.cert.Each() {
		all = append(all, runSigner{cert: i})
	}
	return all
}

// list returns the signers one by one.
func (s signerSet) list() []runSigner {
	var all []runSigner
	for i := range s.keys {
		all = append(all, runSigner{key: &s.keys[i]})
	}
	for _, i := range s.identities {
		all = append(all, runSigner{cert: i})
	}
	return all
}

// checkAttainable finds demands that no run can meet: signatures that cannot be dated or logged as they must be, rules about
// what there never is or that ask for a text that never stands there, and approvals of which there are too few once those who signed the run are left out. What cannot be
// decided from the policy alone passes.
func (p *Policy) checkAttainable(r *reader) {
	p.checkRules(r)
	var signers []runSigner
	why := ""
	for _, s := range p.signers.list() {
		if unproved := s.unprovable(p.root, p.time); unproved != "" {
			why = unproved
			continue
		}
		signers = append(signers, s.each()...)
	}
	if len(signers) == 0 {
		r.failAt("/signers", identity.CodeValue, "", "no signature can meet the policy: %s", why)
		return
	}
	if p.approvals == nil {
		return
	}
	var best *lack
	for _, s := range signers {
		switch missing := p.lackOf(s); {
		case missing == nil:
			return
		case best == nil || missing.left > best.left:
			best = missing
		}
	}
	r.failAt(best.pointer, identity.CodeValue, strings.Join(best.hints, "; "), "%s", best.text)
}

// lack is what the approvals of a run fall short of.
type lack struct {
	pointer, text string
	left          int      // how many approvers can approve
	hints         []string // what would let more of them approve
}

// lackOf is what approvals of a run fall short of if all who can approve it do so; nil for nothing.
func (p *Policy) lackOf(s runSigner) *lack {
	a := p.approvals
	var out, hints []string
	left, roles := 0, map[string]int{}
	for _, one := range a.approvers {
		if why, hint := p.cannotApprove(one, s); why != "" {
			out = append(out, why)
			if !slices.Contains(hints, hint) {
				hints = append(hints, hint)
			}
			continue
		}
		left++
		roles[one.role]++
	}
	if left < a.required {
		text := fmt.Sprintf("%s required, of %d at most of a run signed by %s: %s", plural(a.required, "approval"), left, s, strings.Join(out, "; "))
		return &lack{"/approvals/required", text, left, hints}
	}
	for _, role := range slices.Sorted(maps.Keys(a.roles)) {
		if roles[role] < a.roles[role] {
			text := fmt.Sprintf("%d of role %q required, of %d at most of a run signed by %s: %s", a.roles[role], role, roles[role], s, strings.Join(out, "; "))
			return &lack{"/approvals/roles", text, left, hints}
		}
	}
	return nil
}

// The hints for approvers who cannot approve.
const (
	hintApprovers = "add approvers who do not sign runs"
	hintWindows   = "change when the keys of the approvers are valid, or add authorities to the trusted root that are valid then"
	hintDistinct  = "give each approver keys and certificate identities of their own"
)

// cannotApprove is why no approval by one approver can count for a run that s has signed, and what to do; "" if one may.
func (p *Policy) cannotApprove(one *approver, s runSigner) (why, hint string) {
	if s.isIn(one.signerSet) {
		return one.name + " would approve what they signed", hintApprovers
	}
	for _, by := range one.list() {
		other := slices.IndexFunc(p.approvals.approvers, func(other *approver) bool { return other != one && by.isIn(other.signerSet) })
		unproved := by.unprovable(p.root, timeDemand{demand: demand{p.approvals.evidence, 1}})
		switch {
		case other >= 0:
			why, hint = fmt.Sprintf("what %s signs may be by %s, too", one.name, p.approvals.approvers[other].name), hintDistinct
		case unproved != "":
			why, hint = fmt.Sprintf("by %s: %s", one.name, unproved), hintWindows
		case p.tooLate(by, s):
			why, hint = fmt.Sprintf("the key of %s begins after every start of such a run", one.name), hintWindows
		default:
			return "", ""
		}
	}
	return why, hint
}

// tooLate tells that every approval by a key comes after the latest start of a run that s has signed.
func (p *Policy) tooLate(by, s runSigner) bool {
	return p.time.startWithin > 0 && by.key != nil && s.key != nil && !s.key.NotAfter.IsZero() && by.key.NotBefore.After(s.key.NotAfter.Add(p.time.startWithin))
}

// unprovable is why no signature by s can have the trusted times and log entries that it needs, "" if it may or needs none.
func (s runSigner) unprovable(root authority.Root, d timeDemand) string {
	if root == nil { // with which nothing is demanded
		return ""
	}
	dated := s.key == nil || s.key.Bounded() || d.startWithin > 0 || d.evidence == evidenceTimestamp
	clocks, need := clocksOf(root), 1
	if d.evidence == evidenceTimestamp {
		need = d.count
		clocks = slices.DeleteFunc(clocks, func(a authority.Authority) bool { return a.Kind != authority.TimestampAuthority })
	}
	if dated && len(clocks) == 0 {
		return fmt.Sprintf("%s needs a trusted time, and %s", s, noClock(root))
	}
	logs := ofKind(root, authority.TransparencyLog)
	if len(clocks) == 0 { // what a retired log has seen is believed if a time proves that it was not retired yet
		logs = slices.DeleteFunc(logs, func(a authority.Authority) bool { return !a.Until.IsZero() })
	}
	for _, w := range s.windows(root) {
		if (!dated || w.meetsOf(clocks) >= need) && (d.evidence != evidenceLog || w.meetsOf(logs) >= d.count) {
			return ""
		}
	}
	switch {
	case d.evidence == evidenceLog && len(clocks) == 0:
		return fmt.Sprintf("%s needs %d log entries, and the trusted root names no authority that proves that a retired log had seen it in time", s, d.count)
	case d.evidence != evidenceNone && d.count > 1:
		return fmt.Sprintf("%s is not valid when %d timestamp authorities or logs of the trusted root are", s, d.count)
	}
	return fmt.Sprintf("%s is valid at no time at which a timestamp authority or log of the trusted root is", s)
}

// noClock says why a trusted root proves no time.
func noClock(root authority.Root) string {
	why := "the trusted root names no timestamp authority"
	if len(ofKind(root, authority.TransparencyLog)) > 0 && len(clocksOf(root)) == 0 {
		why += ", and its logs sign no time (as Rekor v2)"
	}
	return why
}

// clocksOf are those that may prove when something was signed.
func clocksOf(root authority.Root) []authority.Authority {
	return slices.DeleteFunc(root.Trusted(), func(a authority.Authority) bool { return !a.Dates })
}

func ofKind(root authority.Root, kind string) []authority.Authority {
	return slices.DeleteFunc(root.Trusted(), func(a authority.Authority) bool { return a.Kind != kind })
}

// window is a period, both ends of it inclusive; a zero time bounds nothing.
type window struct{ from, until time.Time }

// windows are when s can sign.
func (s runSigner) windows(root authority.Root) []window {
	if s.key != nil {
		return []window{{s.key.NotBefore, s.key.NotAfter}}
	}
	var all []window
	for _, t := range ofKind(root, authority.CertificateAuthority) {
		all = append(all, window{t.From, t.Until})
	}
	return all
}

func (w window) meets(other window) bool {
	return (w.until.IsZero() || !other.from.After(w.until)) && (other.until.IsZero() || !w.from.After(other.until))
}

// meetsOf counts the different ones of those that are valid at a time in the window.
func (w window) meetsOf(all []authority.Authority) int {
	names := map[string]bool{}
	for _, t := range all {
		if w.meets(window{t.From, t.Until}) {
			names[t.Label()] = true
		}
	}
	return len(names)
}
