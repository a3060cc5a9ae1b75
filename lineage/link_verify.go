package lineage

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/internal/zero"
)

// The checks of a link, after signature, signer, time and statement.
const (
	CheckRelation evidence.CheckName = "relation" // the relation expected is the one claimed
	CheckArtifact evidence.CheckName = "artifact" // the artifacts given are among the subjects
	CheckRun      evidence.CheckName = "run"      // the run expected is the one named, and is verified
)

// The codes of a link's own checks that failed.
const (
	CodeRelationMismatch evidence.Code = "relation-mismatch" // another relation is claimed than the one expected
	CodeRunMismatch      evidence.Code = "run-mismatch"      // another run is named than the one expected
	CodeRunLater         evidence.Code = "run-later"         // the run was certainly declared after the link was signed, by trusted time
)

// ExpectLink is what the caller knows from elsewhere. The zero value expects nothing in particular.
type ExpectLink struct {
	// Run is the run that must be named; nil for any. No run has the zero ID.
	Run *identity.ID
	// Verified is that run, if it has been verified. The caller must have verified it with the signers
	// that it trusts to declare runs. Its trusted times, where it has any, must not be certainly later
	// than the link's: the accuracy of both counts in favour of the link.
	Verified *attest.Verified
	// Relation is the one that must be claimed; "" for any.
	Relation Relation
	// Artifacts must each be among the subjects, by digest.
	Artifacts []attest.Subject
}

// VerifiedLink is a link that Verify has said yes to: this signer claims it. Nothing else makes one.
type VerifiedLink struct {
	link   Link
	signer evidence.SignerIdentity
	times  []evidence.TrustedTime
	checks []evidence.Check
}

// Link is what is claimed.
func (v *VerifiedLink) Link() Link {
	v = zero.IfNil(v)
	l := v.link
	l.Artifacts, l.Annotations = slices.Clone(l.Artifacts), maps.Clone(l.Annotations)
	return l
}

// Signer is who claims.
func (v *VerifiedLink) Signer() evidence.SignerIdentity { return zero.IfNil(v).signer }

// Times are when trusted authorities saw the signature; empty without trusted time.
func (v *VerifiedLink) Times() []evidence.TrustedTime { return slices.Clone(zero.IfNil(v).times) }

// Checks are what was asked and found.
func (v *VerifiedLink) Checks() []evidence.Check { return slices.Clone(zero.IfNil(v).checks) }

// VerifyLink holds a bundle against the verifier's trust, the specification of links and the
// caller's expectations. When the answer is no the error is an *attest.VerificationError with the
// checks signature, signer, time, statement, relation, artifact and run.
func VerifyLink(ctx context.Context, verifier *attest.Verifier, b *attest.Bundle, want ExpectLink) (*VerifiedLink, error) {
	claim, err := verifier.VerifyClaim(ctx, b, LinkType)
	var no *attest.VerificationError
	if errors.As(err, &no) {
		return nil, refuse(no.Report.Checks, unread()...)
	}
	if err != nil {
		return nil, err
	}
	checks := claim.Checks()
	l, err := read(claim.Predicate(), claim.Subjects())
	if err != nil {
		for i := range checks {
			if checks[i].Name == evidence.CheckStatement {
				checks[i] = evidence.Failed(evidence.CheckStatement, evidence.CodeStatement, "%s", err)
			}
		}
		return nil, refuse(checks, unread()...)
	}
	checks = append(checks, want.relation(l), want.artifacts(l), want.run(l, claim.Times()))
	for _, c := range checks {
		if c.Verdict == evidence.Fail {
			return nil, refuse(checks)
		}
	}
	return &VerifiedLink{l, claim.Signer(), claim.Times(), checks}, nil
}

func refuse(checks []evidence.Check, more ...evidence.Check) error {
	return &attest.VerificationError{Report: attest.Report{Checks: append(slices.Clone(checks), more...)}}
}

// unread are the checks of a claim that is not trusted or cannot be read.
func unread() []evidence.Check {
	const reason = "what is not verified is not compared"
	return []evidence.Check{
		evidence.Skipped(CheckRelation, evidence.CodeNotReached, reason),
		evidence.Skipped(CheckArtifact, evidence.CodeNotReached, reason),
		evidence.Skipped(CheckRun, evidence.CodeNotReached, reason),
	}
}

func (want ExpectLink) relation(l Link) evidence.Check {
	switch want.Relation {
	case "":
		return evidence.Skipped(CheckRelation, evidence.CodeNotAsked, "no relation was expected; the link claims %s", l.Relation)
	case l.Relation:
		return evidence.Passed(CheckRelation, "%s, as expected", l.Relation)
	}
	return evidence.Failed(CheckRelation, CodeRelationMismatch, "the link claims %s, expected is %s", l.Relation, want.Relation)
}

func (want ExpectLink) artifacts(l Link) evidence.Check {
	for _, a := range want.Artifacts {
		isIt := func(s attest.Subject) bool { return s.SHA256 == a.SHA256 }
		if !slices.ContainsFunc(l.Artifacts, isIt) {
			return evidence.Failed(CheckArtifact, evidence.CodeSubjectMissing, "%s (sha256:%x) is not among the %d artifacts that the link names", a.Name, a.SHA256, len(l.Artifacts))
		}
	}
	if len(want.Artifacts) == 0 {
		return evidence.Skipped(CheckArtifact, evidence.CodeNotAsked, "no artifact was given")
	}
	return evidence.Passed(CheckArtifact, "every artifact given is among those that the link names")
}

func (want ExpectLink) run(l Link, signed []evidence.TrustedTime) evidence.Check {
	switch {
	case want.Run != nil && *want.Run != l.Run:
		return evidence.Failed(CheckRun, CodeRunMismatch, "the link names %s, the run expected is %s", l.Run, cmp.Or(want.Run.String(), "none"))
	case want.Verified != nil && want.Verified.ID() != l.Run:
		return evidence.Failed(CheckRun, CodeRunMismatch, "the link names %s, the run given is %s", l.Run, cmp.Or(want.Verified.ID().String(), "not verified"))
	case want.Verified != nil:
		return inOrder(want.Verified, signed)
	}
	c := evidence.Skipped(CheckRun, evidence.CodeNotAsked, "the run is not verified: its bundle was not given")
	if want.Run != nil {
		c = evidence.Passed(CheckRun, "the link names the identity expected; the run itself is not verified")
	}
	c.Hint = HintRunBundle
	return c
}

// HintRunBundle is the hint of CheckRun where the run itself was not verified.
const HintRunBundle evidence.Hint = "give the run's bundle to have it verified"

// inOrder says who signed the run named and by when, and fails where the link was certainly signed before that: a link comes
// after its run. Where the accuracy of the times leaves the order open, the check says so: as without trusted times,
// nothing proves an order, and the link names the run's identity, which existed before.
func inOrder(run *attest.Verified, signed []evidence.TrustedTime) evidence.Check {
	by := run.Signer()
	declared, linked := sightOf(run.Times()...), sightOf(signed...)
	declaredBy := visible.Time(microseconds(declared.latest))
	switch {
	case !declared.known():
		return evidence.Passed(CheckRun, "the run named is verified, signed by %s %s; no trusted time proves that it was declared before the link was signed", by.Kind, by.Name)
	case !linked.known():
		return evidence.Passed(CheckRun, "the run named is verified, signed by %s %s, declared by %s; no trusted time proves when the link was signed",
			by.Kind, by.Name, declaredBy)
	case linked.before(declared):
		return evidence.Failed(CheckRun, CodeRunLater, "the link was signed before the run was declared, by trusted time: the link was seen by %s, the run not until %s",
			visible.Time(microseconds(linked.latest)), visible.Time(microseconds(declared.earliest))).WithHint("if the run was signed earlier, too, give that bundle of it")
	}
	if !declared.before(linked) {
		return evidence.Passed(CheckRun, "the run named is verified, signed by %s %s, declared by %s; the link was signed by %s, too close to prove which was first",
			by.Kind, by.Name, declaredBy, visible.Time(microseconds(linked.latest)))
	}
	return evidence.Passed(CheckRun, "the run named is verified, signed by %s %s, declared by %s, before the link", by.Kind, by.Name, declaredBy)
}
