package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/jsontree"
)

// Statement is to be signed with attest.Sign, and held against the policy by VerifySignature.
func (p *Policy) Statement() (*attest.Claim, error) {
	if p == nil || p.verifier == nil {
		return nil, errNoPolicy
	}
	return attest.NewClaim(SignatureType, p.subjects(), map[string]string{"schema": Schema})
}

func (p *Policy) subjects() []attest.Subject {
	all := []attest.Subject{{Name: Schema, SHA256: p.digest}}
	for _, f := range p.files {
		all = append(all, attest.Subject{Name: f.Path, SHA256: f.SHA256})
	}
	return all
}

// VerifySignature says who has released the policy, if that verifier trusts them. A policy
// that was changed since, or whose files were, is refused.
func (p *Policy) VerifySignature(ctx context.Context, b *attest.Bundle, v *attest.Verifier) (evidence.SignerIdentity, error) {
	if p == nil || p.verifier == nil {
		return evidence.SignerIdentity{}, errNoPolicy
	}
	claim, err := v.VerifyClaim(ctx, b, SignatureType)
	if err != nil {
		return evidence.SignerIdentity{}, err
	}
	predicate, err := jsontree.Parse(claim.Predicate())
	if err != nil {
		return evidence.SignerIdentity{}, err
	}
	if predicate.Len() != 1 || predicate.Get("schema").Text() != Schema {
		return evidence.SignerIdentity{}, errors.New("the signature is of another kind of policy")
	}
	signed := map[attest.Subject]bool{}
	for _, s := range claim.Subjects() {
		signed[s] = true
	}
	for i, s := range p.subjects() {
		if !signed[s] {
			what := "the file was changed after signing, or is not the one that was signed"
			if i > 0 {
				what = fmt.Sprintf("%s, which the policy refers to, was changed after signing", s.Name)
			}
			return evidence.SignerIdentity{}, fmt.Errorf("%w: %s", ErrChanged, what)
		}
	}
	return claim.Signer(), nil
}

// errNoPolicy is for a nil *Policy, and for one that Load and Parse have not made.
var errNoPolicy = errors.New("no policy: it is nil or a zero value")
