package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
)

func newLinkVerify() *cobra.Command {
	cmd := newCommand("link_verify")
	cmd.Args = cli.SomeArgs("link")
	cmd.ValidArgsFunction = completeBundles
	trust := newTrustFlags(cmd)
	artifacts := artifactFlag(cmd, "an `ARTIFACT`, a file, NAME@sha256:HEX or oci://REF, that must be among the artifacts, by its SHA-256 (repeatable)")
	reach := newRegistryFlags(cmd)
	run := cmd.Flags().String("run", "", "the `RUN` that must be named: its identity, or a bundle, which is verified too")
	relation := relationFlag(cmd, "the `RELATION` that must be claimed: produced, consumed or container")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		verifier, err := trust.load(cmd)
		if err != nil {
			return err
		}
		var want lineage.ExpectLink
		if want.Relation, err = relation(); err != nil {
			return err
		}
		if want.Artifacts, err = artifactsOf(newOutput(cmd), reach, *artifacts); err != nil {
			return err
		}
		if err := expectRun(cmd, verifier, *run, &want); err != nil {
			return err
		}
		return verifyLinks(cmd, args, verifier, want)
	}
	return cmd
}

// hintOther sets the hint for a claim of another type that was given as a run.
func hintOther(r *attest.Report, b *attest.Bundle) {
	hint := map[string]evidence.Hint{
		lineage.LinkType:    "this is a link: runattest link verify verifies it",
		journal.SegmentType: "this is the bundle of a journal's segment: runattest journal verify DIR verifies the journal",
		policy.ApprovalType: "this is an approval: give it with --approvals, beside the run's bundle",
	}[b.UnverifiedPredicateType()]
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Name == evidence.CheckStatement && hint != "" {
			c.Hint = hint
		}
	}
}

// expectRun takes an ID as it is, and verifies a bundle.
func expectRun(cmd *cobra.Command, verifier *attest.Verifier, ref string, want *lineage.ExpectLink) error {
	if ref == "" {
		return nil
	}
	if isID(ref) {
		id, err := parseID("--run", ref)
		want.Run = &id
		return err
	}
	b, err := oneBundle(cmd, ref)
	if err != nil {
		return err
	}
	if want.Verified, err = verifier.Verify(cmd.Context(), b, attest.Expect{}); err != nil {
		return fmt.Errorf("--run %s: %w", ref, err)
	}
	return nil
}

func verifyLinks(cmd *cobra.Command, paths []string, verifier *attest.Verifier, want lineage.ExpectLink) error {
	o := newOutput(cmd)
	total, good := 0, 0
	for _, path := range paths {
		for blob, err := range input.Bundles(path, cmd.InOrStdin()) {
			a := answer.Link{Bundle: blob.Name}
			if err == nil {
				a, err = answer.VerifyLink(cmd.Context(), verifier, blob.Name, blob.Data, want)
			}
			a.Checks, a.None = o.phrase(a.Checks, err)
			o.verdict(a.Verdict(), a, err)
			if total++; a.Verified {
				good++
			}
		}
	}
	return o.counted(total, good, "link", false)
}
