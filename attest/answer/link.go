package answer

import (
	"context"
	"errors"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/lineage"
)

// A Link is the answer about one link. Claim, Signer, Times and RunTimes are set only if Verified is true.
type Link struct {
	Bundle   string                   `json:"bundle"`
	Verified bool                     `json:"verified"`
	Claim    *LinkClaim               `json:"claim,omitempty"`
	Signer   *evidence.SignerIdentity `json:"signer,omitempty"`
	Times    []evidence.TrustedTime   `json:"times,omitempty"`
	RunTimes []evidence.TrustedTime   `json:"runTimes,omitempty"` // of the run's bundle, where one was given
	Checks   []evidence.Check         `json:"checks"`
	None
}

// LinkClaim is what a verified link says.
type LinkClaim struct {
	Run         identity.ID       `json:"run"`
	Relation    lineage.Relation  `json:"relation"`
	Artifacts   []attest.Subject  `json:"artifacts"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// VerifyLink gives an answer for yes and for no; the error is that there is none.
func VerifyLink(ctx context.Context, verifier *attest.Verifier, name string, data []byte, want lineage.ExpectLink) (Link, error) {
	r := Link{Bundle: name, Checks: []evidence.Check{}}
	b, err := attest.ParseBundle(data)
	if err != nil {
		return r, err
	}
	verified, err := lineage.VerifyLink(ctx, verifier, b, want)
	var no *attest.VerificationError
	switch {
	case errors.As(err, &no):
		r.Checks = no.Report.Checks
		return r, nil
	case err != nil:
		return r, err
	}
	l, by := verified.Link(), verified.Signer()
	r.Verified, r.Signer, r.Times, r.Checks = true, &by, verified.Times(), verified.Checks()
	if want.Verified != nil {
		r.RunTimes = want.Verified.Times()
	}
	r.Claim = &LinkClaim{l.Run, l.Relation, l.Artifacts, l.Annotations}
	return r, nil
}

// Verdict is the answer for people.
func (l Link) Verdict() Verdict {
	v := Verdict{
		Name: l.Bundle, Verified: l.Verified, Suffix: ", as a claim by its signer", Checks: l.Checks,
		Note: "a link is a claim by its signer about an execution; it is not a part of any identity",
	}
	if l.Verified && l.Claim != nil {
		v.Facts = []string{Fact("claimed by", Signer(l.Signer)), Fact("run", l.Claim.Run.String()), Fact("relation", string(l.Claim.Relation))}
		for _, s := range l.Claim.Artifacts {
			v.Facts = append(v.Facts, Fact("artifact", s.String()))
		}
		v.Facts = append(v.Facts, annotations(l.Claim.Annotations)...)
	}
	return v
}
