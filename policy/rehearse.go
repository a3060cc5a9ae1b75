package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
)

// Rehearsal is a run that nobody has signed, with what a verification would find: for trying
// out a policy. The zero value of each member is what the first signer would give.
type Rehearsal struct {
	Declaration *identity.Declaration
	Signer      string    // the name of a key in the policy, or of a certificate; "" is the first key
	Issuer      string    // of the certificate
	Signed      time.Time // when an authority has seen the signature; zero is not at all
	Annotations map[string]string
	Approvals   []RehearsedApproval
	Now         time.Time
}

// RehearsedApproval is what an approver of the policy would say.
type RehearsedApproval struct {
	Approver   string // by name
	Decision   Verdict
	Reason     string
	Conditions []string
	Expires    time.Time
	Signed     time.Time
}

// Rehearse says what the policy would decide. The Decision is marked as rehearsed; nothing
// was verified, and nothing is to be done on it.
func (p *Policy) Rehearse(ctx context.Context, r Rehearsal) (*Decision, error) {
	s, err := p.rehearsed(r)
	if err != nil {
		return nil, err
	}
	results := []ApprovalResult{}
	for i, a := range r.Approvals {
		result, err := p.rehearseApproval(a, r.Now)
		if err != nil {
			return nil, fmt.Errorf("approval %d: %w", i, err)
		}
		results = append(results, result)
	}
	d, err := p.decide(ctx, s, results, r.Now)
	if err != nil {
		return nil, err
	}
	if p.time.evidence != evidenceNone && r.Signed.IsZero() {
		d.deny(ruleTime, "no trusted time: the policy asks for evidence: %s", p.time.evidence)
		d.Allowed = false
	}
	d.Rehearsed = true
	return d, nil
}

func (p *Policy) rehearsed(r Rehearsal) (subject, error) {
	s := subject{id: r.Declaration.ID(), declaration: r.Declaration, times: rehearsedTimes(r.Signed), annotations: r.Annotations}
	if r.Issuer != "" {
		s.signer = attest.Signatory{Kind: attest.SignedByCertificate, Name: r.Signer, Issuer: r.Issuer}
		return s, nil
	}
	for _, k := range p.signers.keys {
		if r.Signer == "" || k.Name == r.Signer {
			s.signer = attest.Signatory{Kind: attest.SignedByKey, Name: k.Name, KeyHint: k.Key.Hint(), Algorithm: string(k.Key.Algorithm())}
			return s, nil
		}
	}
	return s, fmt.Errorf("signer %q: no key of the policy has that name; of a certificate the issuer is needed too", r.Signer)
}

func rehearsedTimes(at time.Time) []attest.TrustedTime {
	if at.IsZero() {
		return nil
	}
	return []attest.TrustedTime{{Kind: evidenceTimestamp, Authority: "rehearsed", Time: at}}
}

func (p *Policy) rehearseApproval(a RehearsedApproval, now time.Time) (ApprovalResult, error) {
	result := ApprovalResult{
		Source: "rehearsed", Approver: a.Approver, Decision: a.Decision, Reason: a.Reason, Conditions: a.Conditions,
		Expires: a.Expires, Times: rehearsedTimes(a.Signed),
	}
	if p.approvals == nil {
		return result, fmt.Errorf("the policy names no approvers")
	}
	for _, known := range p.approvals.approvers {
		if known.name != a.Approver {
			continue
		}
		result.Role = known.role
		switch {
		case a.Decision != Approved && a.Decision != Rejected:
			return result, fmt.Errorf("decision %q: want %s or %s", a.Decision, Approved, Rejected)
		case !a.Expires.IsZero() && !now.Before(a.Expires):
			result.Why = "expired at " + stamp(a.Expires)
		case a.Signed.After(now):
			result.Why = fmt.Sprintf("was signed at %s, after %s", stamp(a.Signed), stamp(now))
		default:
			result.Counted = true
		}
		return result, nil
	}
	return result, fmt.Errorf("%q is no approver of the policy", a.Approver)
}
