package main

import (
	"context"
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/listing"
)

// referenceVerifier verifies what is attached to artifacts in registries and OCI layouts.
type referenceVerifier struct {
	*output
	reach  *registryFlags
	judge  *judge
	want   attest.Expect
	given  *files.Declarations
	strict bool
}

// verify checks every attestation of the artifact, or of the run. package registry says which answer that is.
func (v *referenceVerifier) verify(text string) error {
	if n := v.given.Len(); n > 1 {
		return fmt.Errorf("--declaration has %d declarations, want one for a reference", n)
	}
	ctx := v.reach.cmd.Context()
	moving := v.transfer(ctx, "fetched")
	defer moving.End()
	target, artifact, err := v.reach.resolve(v.output, text, moving)
	if err != nil {
		return err
	}
	if v.judge.policy != nil {
		v.judge.policy.shown = moving
	}
	verification, err := target.Verify(ctx, artifact, v.want, func(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
		return verifyBundle(ctx, v.judge, b, want)
	})
	if err != nil {
		return err
	}
	for c := range verification.Results(ctx) {
		name := artifact.Reference.String()
		if c.Referrer != "" {
			name = artifact.Reference.Repository() + "@" + c.Referrer
		}
		moving.Say(func() { v.printOne(name, c) })
	}
	moving.End()
	s := verification.Summary()
	err = v.printSummary(text, artifact, s)
	if s.Total() == 0 {
		v.sayPlatforms(ctx, target, artifact)
	}
	return err
}

// unread reports a reference whose attestations cannot be listed: it is not verified, in JSON neither.
func (v *referenceVerifier) unread(text string, err error) {
	v.noteNo(text, err, func(why string) any { return listing.Reference{Reference: text, Error: why} })
}

// printOne prints a verdict, which decides nothing by itself: what is not verified or malformed counts with the others.
func (v *referenceVerifier) printOne(name string, c registry.Checked) {
	before := v.status
	printVerdict(v.output, name, c.Report, c.Err)
	if c.Outcome != registry.Unreadable {
		v.status = before
	}
}

func (v *referenceVerifier) printSummary(text string, artifact *registry.Artifact, s registry.Summary) error {
	passed := s.Passed(v.strict)
	if !passed {
		v.status = max(v.status, exitNo)
	}
	if v.JSON {
		return v.Object(listing.NewReference(text, artifact, s, passed))
	}
	if s.Foreign > 0 {
		v.Info("%d referrers of other artifact types were skipped", s.Foreign)
	}
	if s.OtherPredicateTypes > 0 {
		v.Info("%d attestations of other predicate types were skipped", s.OtherPredicateTypes)
	}
	unreadable := ""
	if s.Unreadable > 0 {
		unreadable = fmt.Sprintf(", %d unreadable", s.Unreadable)
	}
	v.Info("%s: %d verified, %d not verified, %d malformed%s", artifact.Reference, s.Verified, s.NotVerified, s.Malformed, unreadable)
	switch {
	case s.Total() == 0:
		v.Info("no attestation of a run is attached to it")
	case s.Verified > 0 && !passed:
		v.Info("with --strict every attestation must be verified")
	}
	return nil
}
