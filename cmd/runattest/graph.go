package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/registry"
)

func newGraph() *cobra.Command {
	cmd := newCommand("graph")
	cmd.Args = cli.SomeArgs("folder or bundle")
	cmd.ValidArgsFunction = completeBundles
	trust := newTrustFlags(cmd)
	roots := cmd.Flags().StringArray("root", nil, "the `IDENTITY` of the run whose ancestry is shown: airun:1:sha256:... (repeatable)")
	declarations := cmd.Flags().StringArray("declaration", nil, "a `FILE` with declarations of detached attestations, JSON, YAML or JSON Lines, or a folder of such files (repeatable)")
	complete := cmd.Flags().Bool("require-complete", false, "say no if a run in the ancestry is missing, unverified, rejected or flagged")
	policies := newApproverFlags(cmd)
	cmd.Flags().Lookup("policy").Usage = "the `FILE` with the policy that names the trusted signers, and the approvers whose rejections count"
	format := cli.WordFlag(cmd, "format", "what goes to standard output: a tree for people, one JSON object, or a drawing for Graphviz or Mermaid", "text", "json", "dot", "mermaid")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		verifier, applied, err := loadVerifier(cmd, trust, policies, false)
		if err != nil {
			return err
		}
		out := newOutput(cmd)
		o := lineage.Options{Phrase: out.phrased}
		if applied != nil && len(policies.approvals) > 0 {
			o.Rejected = applied.RejectedRuns
		}
		if o.Roots, err = parseIDs("--root", *roots); err != nil {
			return err
		}
		given, err := files.ReadDeclarations(*declarations, cmd.InOrStdin())
		if err != nil {
			return err
		}
		o.Declaration = given.Find
		moving := out.transfer(cmd.Context(), "bundles read")
		if applied != nil {
			applied.shown = moving
		}
		inputs := func(yield func(lineage.Input) bool) {
			for in, err := range policies.reach.places().Lineage(args...).Lineage(cmd.Context(), o.Roots) {
				if err == nil {
					err = files.NotBundle(in.Data)
				}
				switch {
				case errors.As(err, new(*registry.SkippedError)):
					moving.Say(func() { out.skipped(err) })
					continue
				case err != nil:
					moving.Say(func() { out.note(in.Name, err) })
					continue
				}
				if moving.Count(); !yield(in) {
					return
				}
			}
		}
		g, err := lineage.Build(cmd.Context(), verifier, inputs, o)
		moving.End()
		if err != nil {
			return err
		}
		return reportLineage(out, g, format.String(), *complete)
	}
	return cmd
}

// skipped notes something of one run in a repository that is malformed.
func (o *output) skipped(err error) {
	o.fail(err)
	o.status = max(o.status, exitMalformed)
}

func reportLineage(o *output, g *lineage.Graph, format string, requireComplete bool) error {
	malformed := g.Malformed()
	for _, m := range malformed {
		o.note(m.Name, m.Err)
	}
	if n := g.Counts().Malformed - len(malformed); n > 0 {
		o.Info("%d more bundles are malformed", n)
	}
	if g.Len() == 0 {
		o.note("", errors.New("no run in the input"))
	}
	roots := g.Roots()
	write := map[string]func(io.Writer, ...lineage.Node) error{
		"text": g.WriteText, "json": g.WriteJSON, "dot": g.WriteDOT, "mermaid": g.WriteMermaid,
	}[format]
	if err := write(o.Out, roots...); err != nil {
		o.note("standard output", err)
	}
	for _, line := range g.Summary(roots...) {
		o.Info("%s", line)
	}
	if !g.AllVerified(roots...) || requireComplete && !g.Complete(roots...) {
		o.status = max(o.status, exitNo)
	}
	return o.done()
}
