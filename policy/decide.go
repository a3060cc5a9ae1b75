package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// Proposal is a run that is to be signed.
type Proposal struct {
	Declaration *identity.Declaration
	Annotations map[string]string
	Signer      *signer.PublicKey // the public half of the key that would sign
	// Now is the time of the decision, which must be given, and Clock says for reports whose time that is; "" is the caller's.
	Now   time.Time
	Clock string
}

// Decide says what the policy, read with Options.BeforeSigning, would decide about the run if it were signed so: if it
// denies it, Verify denies the bundle or does not verify it, and if it allows it, Verify at the same time allows it. Nothing
// is verified, since there is nothing to verify: the Decision says so (BeforeSigning), and a run is not started for it. The same
// Policy verifies and evaluates bundles, as any other does.
// A no is a Decision and not an error; errors are misuse (ErrAfterSigning), a proposal of which no Statement can be
// made, and the context's.
func (p *Policy) Decide(ctx context.Context, run Proposal) (*Decision, error) {
	switch {
	case p == nil || p.verifier == nil:
		return nil, errNoPolicy
	case !p.beforeSigning:
		return nil, ErrAfterSigning
	case run.Signer == nil:
		return nil, errors.New("policy: no key that would sign")
	case run.Now.IsZero():
		return nil, errors.New("policy: no time of the decision: Now is zero")
	}
	// What the Statement says is checked; that it has the declaration or where it is makes no difference, and a large one is not copied.
	statement, err := attest.New(run.Declaration, attest.StatementOptions{Annotations: run.Annotations, Detached: &attest.DeclarationRef{}})
	if err != nil {
		return nil, err
	}
	s := subject{
		id: statement.ID(), declaration: run.Declaration, annotations: run.Annotations,
		asOf: asOf{now: run.Now}, clock: cmp.Or(run.Clock, "the caller's clock"), approvals: []ApprovalResult{},
	}
	trusted := false
	for _, k := range p.signers.keys {
		if k.Key.Hint() == run.Signer.Hint() {
			trusted = true
			s.signer = evidence.SignerIdentity{Kind: evidence.SignedByKey, Name: k.Name, KeyHint: k.Key.Hint(), Algorithm: string(k.Key.Algorithm())}
		}
	}
	d, err := p.decide(ctx, s)
	if err != nil {
		return nil, err
	}
	if d.BeforeSigning = true; !trusted {
		d.deny(rulePolicy, "the key that would sign (%.64q) is not among the keys of the policy's signers", run.Signer.Hint())
		d.Allowed = false
	}
	return d, nil
}

// checkBeforeSigning refuses what only a signed bundle can meet, or what can change with the signature.
func (p *Policy) checkBeforeSigning(r *reader) {
	refuse := func(pointer, format string, args ...any) {
		r.failAt(pointer, identity.CodeValue, "read it without Options.BeforeSigning, and ask it once the run is signed", "%s, and the policy is to be asked before", fmt.Sprintf(format, args...))
	}
	if p.time.evidence != evidenceNone {
		refuse("/time/evidence", "only a signed bundle has evidence of time")
	}
	if p.approvals != nil {
		refuse("/approvals", "approvals and rejections are given with a signed bundle")
	}
	if len(p.signers.identities) > 0 {
		refuse("/signers/certificates", "a certificate is verified with the trusted time of a signed bundle")
	}
	for i, k := range p.signers.keys {
		if k.Bounded() {
			refuse(fmt.Sprintf("/signers/keys/%d", i), "key %s signs in a certain time only, which the trusted time of a signed bundle proves", k.Name)
		}
	}
	for i, rule := range p.rules {
		at := fmt.Sprintf("/rules/%d/expr", i)
		if what := rule.ReadsTimes(); what != "" {
			refuse(at, "reads %s, which a signed bundle proves", what)
		}
		if rule.ReadsAncestors() {
			refuse(at, "reads ancestors, which are found for a signed bundle")
		}
	}
}
