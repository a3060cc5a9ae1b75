package policy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/lineage"
)

// Rehearsal is a run without a signature, with the assumed results of a verification, for trying
// out a policy. The zero value of each member is what the first signer would give.
type Rehearsal struct {
	Declaration *identity.Declaration
	Signer      string    // the name of a key in the policy, or of a certificate; "" is the first key
	Issuer      string    // of the certificate
	Signed      time.Time // when an authority has seen the signature; zero is not at all
	Annotations map[string]string
	Approvals   []RehearsedApproval
	// Lineage are the declarations of runs as if they had been verified, by the same signer at the same
	// time; nil means that no lineage was given.
	Lineage []*identity.Declaration
	Now     time.Time
}

// RehearsedApproval is what an approver of the policy would say.
type RehearsedApproval struct {
	Approver   string      // by name
	Run        identity.ID // that it is about; zero is the run
	Decision   Verdict
	Reason     string
	Conditions []string
	Expires    time.Time
	Signed     time.Time
}

// Rehearse says what the policy would decide. The Decision is marked as rehearsed; nothing
// was verified, and nothing is to be done on it.
func (p *Policy) Rehearse(ctx context.Context, r Rehearsal) (*Decision, error) {
	p = zero.IfNil(p)
	s, err := p.rehearsed(r)
	if err != nil {
		return nil, err
	}
	for i, a := range r.Approvals {
		o, err := p.rehearseApproval(a, s.id)
		if err != nil {
			return nil, fmt.Errorf("approval %d: %w", i, err)
		}
		s.take(o)
	}
	d, err := p.decide(ctx, s)
	if err != nil {
		return nil, err
	}
	with := signerSet{keys: slices.DeleteFunc(slices.Clone(p.signers.keys), func(k attest.TrustedKey) bool { return k.Key.Hint() != s.signer.KeyHint })}
	if s.signer.Kind == evidence.SignedByCertificate {
		with.identities = p.signers.identities
	}
	if why := with.rehearsed(p.time.evidence, r.Signed); why != nil {
		d.deny(ruleTime, "%s", why)
		d.Allowed = false
	}
	d.Rehearsed = true
	return d, nil
}

func (p *Policy) rehearsed(r Rehearsal) (subject, error) {
	if r.Declaration.ID().IsZero() {
		return subject{}, errors.New("rehearsal: no declaration: it is nil or a zero value")
	}
	s := subject{
		id: r.Declaration.ID(), declaration: r.Declaration, times: rehearsedTimes(r.Signed), annotations: r.Annotations,
		asOf: asOf{now: r.Now}, clock: clockOfCases, approvals: []ApprovalResult{},
	}
	s.ancestors = func() (iter.Seq[lineage.Ancestor], error) { return r.ancestors(s.signer) }
	if r.Issuer != "" {
		s.signer = evidence.SignerIdentity{Kind: evidence.SignedByCertificate, Name: r.Signer, Issuer: r.Issuer}
		if !p.signers.include(s.signer) {
			return s, fmt.Errorf("signer %q, as %q says: is in no certificate of the policy's signers", r.Signer, r.Issuer)
		}
		return s, nil
	}
	for _, k := range p.signers.keys {
		if r.Signer == "" || k.Name == r.Signer {
			s.signer = evidence.SignerIdentity{Kind: evidence.SignedByKey, Name: k.Name, KeyHint: k.Key.Hint(), Algorithm: string(k.Key.Algorithm())}
			return s, nil
		}
	}
	return s, fmt.Errorf("signer %q: no key of the policy has that name; of a certificate the issuer is needed too", r.Signer)
}

// ancestors are the runs of the lineage from which the run descends, its parents first; a parent that is
// not there is a gap.
func (r Rehearsal) ancestors(by evidence.SignerIdentity) (iter.Seq[lineage.Ancestor], error) {
	if r.Lineage == nil && len(r.Declaration.Parents()) > 0 {
		return nil, errNoLineage
	}
	known, seen := map[identity.ID]*identity.Declaration{}, map[identity.ID]bool{}
	for _, d := range r.Lineage {
		known[d.ID()] = d
	}
	var found []lineage.Ancestor
	next := r.Declaration.Parents()
	for len(next) > 0 {
		id := next[0]
		if next = next[1:]; seen[id] {
			continue
		}
		seen[id] = true
		d := known[id]
		if d == nil {
			gap := lineage.Gap{ID: id, Reason: "missing: it is not among the lineage"}
			return nil, &lineage.IncompleteError{Run: r.Declaration.ID(), Gaps: []lineage.Gap{gap}, Count: 1}
		}
		found = append(found, lineage.Ancestor{ID: id, Kind: d.Kind(), Parents: d.Parents(), Signers: []evidence.SignerIdentity{by}, DeclaredBy: r.Signed})
		next = append(next, d.Parents()...)
	}
	return slices.Values(found), nil
}

func rehearsedTimes(at time.Time) []evidence.TrustedTime {
	if at.IsZero() {
		return nil
	}
	return []evidence.TrustedTime{{Kind: evidenceTimestamp, Authority: "rehearsed", Time: at}}
}

// rehearsed is why a verification would not find that one of them signed at that time, zero where no authority has seen it. When the
// authorities of the trusted root are valid is not asked: the times of a case are its own.
func (s *signerSet) rehearsed(evidence string, signed time.Time) error {
	if evidence != evidenceNone && signed.IsZero() {
		return fmt.Errorf("no trusted time: the policy asks for evidence: %s", evidence)
	}
	var why error
	for _, k := range s.keys {
		switch {
		case !k.Bounded() || !signed.IsZero() && k.ValidAt(signed):
			return nil
		case signed.IsZero():
			why = fmt.Errorf("no trusted time: key %s signs in a certain time only", k.Name)
		default:
			why = fmt.Errorf("signed at %s, outside the validity of key %s", stamp(signed), k.Name)
		}
	}
	switch {
	case len(s.identities) == 0:
		return why
	case signed.IsZero():
		return errors.New("no trusted time, without which a certificate proves nothing")
	}
	return nil // one of the certificates may have signed
}

// rehearseApproval is what a verification would find.
func (p *Policy) rehearseApproval(a RehearsedApproval, run identity.ID) (statedDecision, error) {
	o := statedDecision{result: ApprovalResult{
		Source: "rehearsed", Approver: a.Approver, Decision: a.Decision, Reason: a.Reason, Conditions: a.Conditions,
		Expires: a.Expires, Times: rehearsedTimes(a.Signed), run: a.Run,
	}}
	if a.Run.IsZero() {
		o.result.run = run
	}
	if p.approvals == nil {
		return o, ErrNoApprovers
	}
	if a.Decision != Approved && a.Decision != Rejected {
		return o, fmt.Errorf("decision %q: want %s or %s", a.Decision, Approved, Rejected)
	}
	for _, known := range p.approvals.approvers {
		if known.name == a.Approver {
			if o.by, o.result.Role = known, known.role; a.Decision == Approved {
				o.err = known.rehearsed(p.approvals.evidence, a.Signed)
			}
			return o, nil
		}
	}
	return o, fmt.Errorf("%q is not an approver of the policy", a.Approver)
}
