package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/sigstore"
)

// certified is a certificate identity of a policy.
type certified struct{ name, issuer pattern }

// pattern is one text, or all that an expression matches whole.
type pattern struct {
	text string
	re   *regexp.Regexp
}

func (p pattern) match(text string) bool {
	if p.re == nil {
		return p.text == text
	}
	return p.re.MatchString(text)
}

// covers tells that p certainly means all that other means: where it is false, p may do so all the same.
func (p pattern) covers(other pattern) bool {
	if other.re == nil {
		return p.match(other.text)
	}
	return p.re != nil && (p.text == other.text || p.text == ".*" || p.text == ".+")
}

func (c certified) covers(other certified) bool {
	return c.name.covers(other.name) && c.issuer.covers(other.issuer)
}

func (c certified) String() string { return c.name.text }

// runSigner is one of those who may sign a run: a key, or a certificate identity.
type runSigner struct {
	key  *attest.TrustedKey
	cert certified
}

func (s runSigner) String() string {
	if s.key != nil {
		return "key " + s.key.Name
	}
	return "a certificate for " + s.cert.String()
}

// isIn tells that what s signs is certainly signed by one of the signatories.
func (s runSigner) isIn(all signatories) bool {
	if s.key != nil {
		return slices.ContainsFunc(all.keys, func(k attest.TrustedKey) bool { return k.Key.Hint() == s.key.Key.Hint() })
	}
	return slices.ContainsFunc(all.certified, func(c certified) bool { return c.covers(s.cert) })
}

// list is each of the signatories by itself.
func (s signatories) list() []runSigner {
	var all []runSigner
	for i := range s.keys {
		all = append(all, runSigner{key: &s.keys[i]})
	}
	for _, c := range s.certified {
		all = append(all, runSigner{cert: c})
	}
	return all
}

// checkAttainable finds demands that no run can meet: signatures that cannot be dated as they must be, and approvals of
// which there are too few once those who signed the run are left out. What cannot be decided from the policy alone passes.
func (p *Policy) checkAttainable(r *reader) {
	var signers []runSigner
	why := ""
	for _, s := range p.signers.list() {
		if undated := s.undatable(p.root, p.time.evidence); undated != "" {
			why = undated
			continue
		}
		signers = append(signers, s)
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
	r.failAt(best.pointer, identity.CodeValue, "add approvers who do not sign runs", "%s", best.text)
}

// lack is what the approvals of a run fall short of.
type lack struct {
	pointer, text string
	left          int // how many approvers can approve
}

// lackOf is what approvals of a run fall short of if all who can approve it do so; nil for nothing.
func (p *Policy) lackOf(s runSigner) *lack {
	a := p.approvals
	var out []string
	left, roles := 0, map[string]int{}
	for _, one := range a.approvers {
		if why := p.cannotApprove(one, s); why != "" {
			out = append(out, why)
			continue
		}
		left++
		roles[one.role]++
	}
	if left < a.required {
		text := fmt.Sprintf("%s required, of %d at most of a run signed by %s: %s", plural(a.required, "approval"), left, s, strings.Join(out, "; "))
		return &lack{"/approvals/required", text, left}
	}
	for _, role := range slices.Sorted(maps.Keys(a.roles)) {
		if roles[role] < a.roles[role] {
			text := fmt.Sprintf("%d of role %q required, of %d at most of a run signed by %s: %s", a.roles[role], role, roles[role], s, strings.Join(out, "; "))
			return &lack{"/approvals/roles", text, left}
		}
	}
	return nil
}

// cannotApprove is why no approval by one approver can count for a run that s has signed, "" if one may.
func (p *Policy) cannotApprove(one *approver, s runSigner) string {
	if s.isIn(one.signatories) {
		return one.name + " would approve what they signed"
	}
	why := ""
	for _, by := range one.list() {
		other := slices.IndexFunc(p.approvals.approvers, func(other *approver) bool { return other != one && by.isIn(other.signatories) })
		undated := by.undatable(p.root, p.approvals.evidence)
		switch {
		case other >= 0:
			why = fmt.Sprintf("what %s signs may be by %s, too", one.name, p.approvals.approvers[other].name)
		case undated != "":
			why = fmt.Sprintf("by %s: %s", one.name, undated)
		case p.tooLate(by, s):
			why = fmt.Sprintf("the key of %s begins after every start of such a run", one.name)
		default:
			return ""
		}
	}
	return why
}

// tooLate tells that every approval by a key comes after the latest start of a run that s has signed.
func (p *Policy) tooLate(by, s runSigner) bool {
	return p.time.startWithin > 0 && by.key != nil && s.key != nil && !s.key.NotAfter.IsZero() && by.key.NotBefore.After(s.key.NotAfter.Add(p.time.startWithin))
}

// undatable is why no signature by s can have the trusted time that it needs, "" if it may or needs none.
func (s runSigner) undatable(root *sigstore.TrustedRoot, evidence string) string {
	if s.key != nil && !s.key.Bounded() || root == nil {
		return ""
	}
	var windows []window // in which the signer can sign
	if s.key != nil {
		windows = []window{{s.key.NotBefore, s.key.NotAfter}}
	}
	var clocks []window
	for _, t := range root.Trusted() {
		switch t.Kind {
		case sigstore.CertificateAuthority:
			if s.key == nil {
				windows = append(windows, window{t.From, t.Until})
			}
		case sigstore.TimestampAuthority:
			clocks = append(clocks, window{t.From, t.Until})
		case sigstore.TransparencyLog:
			if evidence != evidenceTimestamp {
				clocks = append(clocks, window{t.From, t.Until})
			}
		}
	}
	if len(clocks) == 0 {
		return fmt.Sprintf("%s needs a trusted time, and the trusted root names no timestamp authority", s)
	}
	for _, w := range windows {
		if slices.ContainsFunc(clocks, w.meets) {
			return ""
		}
	}
	return fmt.Sprintf("%s is valid at no time at which a timestamp authority or log of the trusted root is", s)
}

// window is a period, both ends of it inclusive; a zero time bounds nothing.
type window struct{ from, until time.Time }

func (w window) meets(other window) bool {
	return (w.until.IsZero() || !other.from.After(w.until)) && (other.until.IsZero() || !w.from.After(other.until))
}
