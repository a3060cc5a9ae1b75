package main

import (
	"fmt"

	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/listing"
)

// Reference prints the verdict about what is attached to an artifact in a registry or OCI layout, after those about each bundle.
func (v *verification) Reference(text string) bool {
	v.artifacts++
	if err := v.verifyAttached(text); err != nil { // what is attached cannot be listed: it is not verified, in JSON neither
		v.noteNo(text, err, func(why string) any { return listing.Reference{Reference: text, Error: why} })
	}
	return v.goesOn()
}

func (v *verification) verifyAttached(text string) error {
	if n := v.by.Given.Len(); n > 1 {
		return fmt.Errorf("--declaration has %d declarations, want one for a reference", n)
	}
	ctx := v.cmd.Context()
	moving := v.transfer(ctx, "fetched")
	defer moving.End()
	target, artifact, err := v.reach.resolve(v.output, text, moving)
	if err != nil {
		return err
	}
	if v.policy != nil {
		v.policy.shown = moving
	}
	s, err := v.by.Attached(ctx, target, artifact, func(name string, c registry.Checked) {
		moving.Say(func() { v.printOne(name, c) })
	})
	if err != nil {
		return err
	}
	moving.End()
	err = v.printSummary(text, artifact, s)
	if s.Total() == 0 {
		v.sayPlatforms(ctx, target, artifact)
	}
	return err
}

// printOne prints a verdict, which decides nothing by itself: what is not verified or malformed counts with the others.
func (v *verification) printOne(name string, c registry.Checked) {
	before := v.status
	printVerdict(v.output, name, c.Report, c.Err)
	if c.Outcome != registry.Unreadable {
		v.status = before
	}
}

func (v *verification) printSummary(text string, artifact *registry.Artifact, s registry.Summary) error {
	passed := s.Passed(v.strict)
	if !passed {
		v.status = max(v.status, exitNo)
	}
	answer := listing.NewReference(text, artifact, s, passed)
	if v.JSON {
		return v.Object(answer)
	}
	for _, line := range answer.Lines() {
		v.Info("%s", line)
	}
	if s.Verified > 0 && !passed {
		v.Info("with --strict every attestation must be verified")
	}
	return nil
}
