package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
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
		id, err := identity.ParseID(ref)
		if err != nil {
			return fmt.Errorf("--run %q: %w", ref, err)
		}
		want.Run = &id
		return nil
	}
	b, err := oneBundle(ref, cmd.InOrStdin())
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
		some, verified := verifyEach(input.Bundles(path, cmd.InOrStdin()), func(blob input.Blob, err error) bool {
			r := linkReport{Bundle: blob.Name, Checks: []evidence.Check{}}
			if err == nil {
				err = r.verify(cmd.Context(), verifier, blob.Data, want)
			}
			printLink(o, r, err)
			return r.Verified
		})
		total, good = total+some, good+verified
	}
	return o.counted(total, good, "link", false)
}

// linkReport is the JSON result of one link. Claim, Signer, Times and RunTimes are set only if Verified is true.
type linkReport struct {
	Bundle   string                   `json:"bundle"`
	Verified bool                     `json:"verified"`
	Claim    *linkClaim               `json:"claim,omitempty"`
	Signer   *evidence.SignerIdentity `json:"signer,omitempty"`
	Times    []evidence.TrustedTime   `json:"times,omitempty"`
	RunTimes []evidence.TrustedTime   `json:"runTimes,omitempty"` // of the run's bundle, where one was given
	Checks   []evidence.Check         `json:"checks"`
	noAnswer
}

type linkClaim struct {
	Run         identity.ID       `json:"run"`
	Relation    lineage.Relation  `json:"relation"`
	Artifacts   []attest.Subject  `json:"artifacts"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// verify fills the report in for yes and for no; the error is that there is no answer.
func (r *linkReport) verify(ctx context.Context, verifier *attest.Verifier, data []byte, want lineage.ExpectLink) error {
	b, err := attest.ParseBundle(data)
	if err != nil {
		return err
	}
	verified, err := lineage.VerifyLink(ctx, verifier, b, want)
	var no *attest.VerificationError
	switch {
	case errors.As(err, &no):
		r.Checks = no.Report.Checks
		return nil
	case err != nil:
		return err
	}
	l, by := verified.Link(), verified.Signer()
	r.Verified, r.Signer, r.Times, r.Checks = true, &by, verified.Times(), verified.Checks()
	if want.Verified != nil {
		r.RunTimes = want.Verified.Times()
	}
	r.Claim = &linkClaim{l.Run, l.Relation, l.Artifacts, l.Annotations}
	return nil
}

func printLink(o *output, r linkReport, err error) {
	r.Checks, r.noAnswer = phrasedAll(r.Checks), whyNoAnswer(err)
	v := verdict{
		name: r.Bundle, verified: r.Verified, suffix: ", as a claim by its signer", checks: r.Checks, err: err,
		note: "a link is a claim by its signer about an execution; it is not a part of any identity",
	}
	if r.Verified {
		v.facts = []string{fact("claimed by", describeSigner(r.Signer)), fact("run", r.Claim.Run.String()), fact("relation", string(r.Claim.Relation))}
		for _, s := range r.Claim.Artifacts {
			v.facts = append(v.facts, fact("artifact", s.String()))
		}
		v.facts = append(v.facts, annotationFacts(r.Claim.Annotations)...)
	}
	o.verdict(v, r)
}
