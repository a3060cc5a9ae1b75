package policy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/signer"
)

// approvals say which approvers must approve a run, and how many of them.
type approvals struct {
	required  int
	roles     map[string]int
	evidence  string
	approvers []*approver
	anyone    attest.Trust // in any of them, at any time
}

// approver is one person, however many keys and identities they have.
type approver struct {
	name, role string
	signerSet
	signs attest.Trust
}

func (a *approvals) read(r *reader, files *folder, v jsontree.Value) {
	r.members(v, []string{"required", "approvers"}, map[string]field{
		"required": r.count(&a.required, 0, limits.Approvers),
		"evidence": r.word(&a.evidence, evidenceNone, evidenceTimestamp, evidenceLog),
		"roles": func(v jsontree.Value) {
			if !r.want(v, jsontree.Object) {
				return
			}
			a.roles = map[string]int{}
			for name, m := range v.Members() {
				var n int
				r.in(string(name), func() {
					r.checkLabel(string(name))
					r.count(&n, 1, limits.Approvers)(m)
				})
				a.roles[string(name)] = n
			}
		},
		"approvers": func(v jsontree.Value) {
			r.list(v, 1, limits.Approvers, func(_ int, v jsontree.Value) { a.readApprover(r, files, v) })
		},
	})
}

func (a *approvals) readApprover(r *reader, files *folder, v jsontree.Value) {
	p := &approver{}
	if v.Kind() == jsontree.Object {
		p.name = v.Get("name").Text() // the keys want it before it is read
	}
	fields := p.fields(r, files, &p.name)
	fields["name"], fields["role"] = r.label(&p.name), r.label(&p.role)
	r.members(v, []string{"name"}, fields)
	if v.Get("keys").Kind() == jsontree.Absent && v.Get("certificates").Kind() == jsontree.Absent {
		r.fail(identity.CodeRequired, "give keys or certificates", "without either, no signature can be this approver's")
	}
	a.approvers = append(a.approvers, p)
}

// check finds demands that cannot be met, and approvers who cannot be told apart.
func (a *approvals) check(r *reader, root authority.Root) {
	owners, names, roles := map[string]string{}, map[string]bool{}, map[string]int{}
	seen, seenRoles := labelsOf("approver"), labelsOf("role")
	for i, p := range a.approvers {
		at := fmt.Sprintf("/approvals/approvers/%d", i)
		if names[p.name] {
			r.failAt(at, identity.CodeUnique, "one entry for one person, with all of their keys", "two approvers are named %q", p.name)
		}
		seen.add(r, at+"/name", p.name, "one entry for one person, or names that differ to the eye")
		seenRoles.add(r, at+"/role", p.role, "one name for one role")
		names[p.name] = true
		roles[p.role]++
		for _, k := range p.keys {
			if owner, ok := owners[k.Key.Hint()]; ok && owner != p.name {
				r.failAt(at, identity.CodeUnique, "", "the key of %q is that of %q too: one person would count as two", p.name, owner)
			}
			owners[k.Key.Hint()] = p.name
		}
		if _, ok := p.bounded(); ok && root == nil {
			r.failAt(at, identity.CodeValue, "give trustedRoot", "a key of %q signs in a certain time only, and no timestamp authority is named to prove the time", p.name)
		}
		var err error
		if p.signs, err = p.trust(root, demand{a.evidence, 1}); err != nil {
			r.failAt(at, identity.CodeValue, "", "%s", err)
		}
	}
	var all signerSet
	for _, p := range a.approvers {
		all.keys, all.identities = append(all.keys, p.keys...), append(all.identities, p.identities...)
	}
	var err error
	if a.anyone, err = all.trustAtAnyTime(root); err != nil {
		r.failAt("/approvals/approvers", identity.CodeValue, "", "%s", err)
	}
	if a.required > len(a.approvers) {
		r.failAt("/approvals/required", identity.CodeValue, "", "%d approvals required, of %s: which cannot be met", a.required, plural(len(a.approvers), "approver"))
	}
	for _, role := range slices.Sorted(maps.Keys(a.roles)) {
		seenRoles.add(r, "/approvals/roles", role, "one name for one role")
		if n := a.roles[role]; n > roles[role] {
			r.failAt("/approvals/roles", identity.CodeValue, "", "%d of role %q required, of %s: which cannot be met", n, role, plural(roles[role], "approver"))
		}
	}
}

// Approval is a bundle that may hold an approval; Source is where it came from, for reports.
type Approval struct {
	Source string
	Bundle *attest.Bundle
}

// ApprovalResult is one approval that was given, and whether it counts. Everything but
// Source, Why and, of what cannot be read, Approver is set only where a trusted approver has signed an approval.
type ApprovalResult struct {
	Source     string                 `json:"source"`
	Counted    bool                   `json:"counted"`
	Why        string                 `json:"why,omitempty"` // why it does not count
	Approver   string                 `json:"approver,omitempty"`
	Role       string                 `json:"role,omitempty"`
	Decision   Verdict                `json:"decision,omitempty"`
	Reason     string                 `json:"reason,omitempty"`
	Conditions []string               `json:"conditions,omitempty"`
	Expires    time.Time              `json:"expires,omitzero"`
	Times      []evidence.TrustedTime `json:"times,omitempty"`
	Ancestor   identity.ID            `json:"ancestor,omitzero"` // for which it counts, since it is not about the run

	run    identity.ID // that it is about
	key    string      // the hint of the public key that has signed
	unread bool        // an approver has signed a statement about the run that cannot be read
}

// String is the approval on one line.
func (r ApprovalResult) String() string {
	about := ""
	switch {
	case !r.Ancestor.IsZero():
		about = fmt.Sprintf(" of the ancestor %s", r.Ancestor)
	case !r.Counted:
		return visible.OneLine(fmt.Sprintf("approval %s does not count: %s", r.Source, r.Why))
	}
	s := fmt.Sprintf("approval %s%s: %s by %s%s: %s", r.Source, about, r.Decision, r.Approver, asRole(r.Role), r.Reason)
	if len(r.Conditions) > 0 {
		s += " (on condition: " + strings.Join(r.Conditions, "; ") + ")"
	}
	return visible.OneLine(s)
}

// statedDecision is the content of an approval whose signer is known. It does not depend on the run.
type statedDecision struct {
	result ApprovalResult
	by     *approver
	signer evidence.SignerIdentity
	err    error         // why it counts for no run at all
	unread []identity.ID // the runs that it is about, if an approver has signed it and it cannot be read
	vague  error         // why these cannot be told: it may reject any run
	index  int           // of what the report says of it
}

// verify verifies an approval. For a rejection it suffices that an approver has signed it; an approval also needs a
// time, and evidence of it. What looking for the signer costs is counted in work; once that is exhausted the answer is worth
// nothing.
func (a *approvals) verify(ctx context.Context, given Approval, work *signer.Work) statedDecision {
	anyone := counted{a.anyone, work}
	o := statedDecision{result: ApprovalResult{Source: given.Source}}
	meant := a.whoMay(given.Bundle.PossibleSigner(ctx, anyone))
	if len(meant) == 0 {
		o.err = fmt.Errorf("is signed by none of %s", plural(len(a.approvers), "approver"))
		return o
	}
	found := given.Bundle.CheckTrust(ctx, anyone)
	people := a.whoMay(found.By)
	if len(people) == 0 {
		why := found.Signature
		if why.Verdict == evidence.Pass {
			why = found.Signer
		}
		o.err, o.result.Approver = errors.New(why.Reason), meant[0].name
		o.unread, o.vague = runsIn(given.Bundle)
		return o
	}
	by := people[0]
	s, claim, err := readSigned(ctx, given.Bundle, anyone)
	switch {
	case err == nil && s.Decision == Rejected: // whichever of several it is who rejects, an approver does
	case err == nil && len(people) > 1:
		err = fmt.Errorf("is signed by what both %s and %s are trusted with: tell them apart in the policy", by.name, people[1].name)
	case err == nil:
		claim, err = verifyApproval(ctx, given.Bundle, counted{by.signs, work})
	default: // whatever it says is its subject: the predicate may name another run
		o.unread, o.vague = runsIn(given.Bundle)
	}
	if o.unread != nil {
		o.result.Approver = by.name
	}
	if err != nil {
		o.err = err
		if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
			o.err = fmt.Errorf("by %s: %w", by.name, err)
		}
		return o
	}
	o.by, o.signer, o.result = by, *found.By, ApprovalResult{
		Source: given.Source, Approver: by.name, Role: by.role, Decision: s.Decision, Reason: s.Reason, Conditions: s.Conditions,
		Expires: s.Expires, Times: claim.Times(), run: s.Identity, key: found.By.KeyHint,
	}
	return o
}

// whoMay are the approvers who may be the one who has signed.
func (a *approvals) whoMay(by *evidence.SignerIdentity) []*approver {
	if by == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.approvers), func(p *approver) bool { return !p.mayInclude(*by) })
}

// isBy says whether it is by this signer: the same key, one of the same approver, whatever carries it, or a certificate with one of the
// same names.
func (o statedDecision) isBy(signer evidence.SignerIdentity) bool {
	bare := evidence.SignerIdentity{Kind: evidence.SignedByKey, KeyHint: signer.KeyHint}
	var own signerSet
	for _, name := range o.signer.Names() {
		own.identities = append(own.identities, authority.CertificateIdentity{SubjectAlternativeName: authority.Exactly(name), Issuer: authority.Exactly(o.signer.Issuer)})
	}
	return o.by.mayInclude(signer) || o.signer.Kind == evidence.SignedByCertificate && own.mayInclude(signer) ||
		signer.KeyHint != "" && (signer.KeyHint == o.result.key || o.by.mayInclude(bare))
}

// oneByEachKey takes approvals back that two approvers have made with one key, as with two certificates for it: one person would count as
// two.
func oneByEachKey(results []ApprovalResult) {
	people := map[string]string{} // by key, one of them
	var shared []string
	counts := func(r ApprovalResult) bool { return r.Counted && r.Decision == Approved }
	for _, r := range results {
		if one, ok := people[r.key]; counts(r) && ok && one != r.Approver {
			shared = append(shared, r.key)
		} else if counts(r) {
			people[r.key] = r.Approver
		}
	}
	for i, r := range results {
		if counts(r) && slices.Contains(shared, r.key) {
			results[i].Counted, results[i].Why = false, "is by a key with which two approvers approve: one person would count as two"
		}
	}
}

// about says whether the approval counts for a run that these have signed, as of the decision. What is dated later
// approves nothing. It rejects all the same, unless the decision is one about the past.
func (o statedDecision) about(run identity.ID, signers []evidence.SignerIdentity, as asOf) ApprovalResult {
	r := o.result
	signed := datedAt(r.Times)
	if r.Decision == Rejected { // which counts if it may have been there
		signed = first(r.Times, evidence.TrustedTime.Earliest)
	}
	switch {
	case o.err != nil:
		r.Why, r.unread = o.err.Error(), slices.Contains(o.unread, run)
	case r.run != run:
		r.Why = fmt.Sprintf("is about another run, %s", r.run)
	case hasExpired(r.Expires, as.now):
		r.Why = fmt.Sprintf("expired at %s", stamp(r.Expires))
	case !signed.IsZero() && signed.After(as.now) && (as.replay || r.Decision == Approved):
		at, now := apart(signed, as.now)
		r.Why = fmt.Sprintf("was signed at %s, after %s", at, now)
	case r.Decision == Approved && slices.ContainsFunc(signers, o.isBy): // with another of their keys, too
		r.Why = "is by the signer of the run, who cannot approve it"
	default:
		r.Counted = true
	}
	return r
}

// Rejections returns the rejected runs, each with the approvers and their reasons on one line, as Evaluate counts them.
// It ignores given.Lineage and statements that do not count. For a policy without approvers the error is ErrNoApprovers.
func (p *Policy) Rejections(ctx context.Context, given Given) (map[identity.ID]string, error) {
	p = zero.IfNil(p)
	if p.approvals == nil {
		return nil, ErrNoApprovers
	}
	s := subject{asOf: asOf{given.Now, given.Replay}}
	if err := p.consider(ctx, &s, given); err != nil {
		return nil, err
	}
	if s.laborious != nil {
		return nil, s.laborious
	}
	rejected := map[identity.ID]string{}
	for run, stated := range s.stated {
		for _, o := range stated {
			switch r := o.about(run, nil, s.asOf); {
			case rejected[run] != "":
			case r.unread:
				rejected[run] = visible.OneLine(fmt.Sprintf("%s, maybe, in what cannot be read: %s", r.Approver, r.Why))
			case r.Counted && r.Decision == Rejected:
				rejected[run] = visible.OneLine(fmt.Sprintf("%s%s: %s", r.Approver, asRole(r.Role), r.Reason))
			}
		}
	}
	return rejected, nil
}

// denials say what is missing. A rejection outweighs every approval; one approver counts once.
func (a *approvals) denials(results []ApprovalResult) []Denial {
	var denials []Denial
	deny := func(format string, args ...any) {
		denials = append(denials, Denial{Rule: ruleApprovals, Reason: visible.OneLine(fmt.Sprintf(format, args...))})
	}
	people, roles := map[string]bool{}, map[string]map[string]bool{}
	for _, r := range results {
		switch {
		case r.unread:
			deny("what %s has signed about the run cannot be read, and may be a rejection: %s", r.Approver, r.Why)
		case !r.Counted:
		case r.Decision == Rejected:
			deny("rejected by %s%s: %s", r.Approver, asRole(r.Role), r.Reason)
		default:
			people[r.Approver] = true
			if roles[r.Role] == nil {
				roles[r.Role] = map[string]bool{}
			}
			roles[r.Role][r.Approver] = true
		}
	}
	who := "no approver has approved"
	if len(people) > 0 {
		who = "approved by " + strings.Join(slices.Sorted(maps.Keys(people)), ", ")
	}
	if len(people) < a.required {
		deny("%d of %d approvals: %s; want %d of %s", len(people), a.required, who, a.required, a.names())
	}
	for _, role := range slices.Sorted(maps.Keys(a.roles)) {
		if got, want := len(roles[role]), a.roles[role]; got < want {
			deny("%d of %d approvals of role %q: ask one of %s", got, want, role, a.namesOf(role))
		}
	}
	return denials
}

func (a *approvals) names() string {
	var names []string
	for _, p := range a.approvers {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

func (a *approvals) namesOf(role string) string {
	var names []string
	for _, p := range a.approvers {
		if p.role == role {
			names = append(names, p.name)
		}
	}
	return strings.Join(names, ", ")
}

func asRole(role string) string {
	if role == "" {
		return ""
	}
	return " (" + role + ")"
}
