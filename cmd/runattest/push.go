package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry"
)

func newPush() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "push REPO BUNDLE...",
		Short: "Store runs in a registry, each under its identity",
		Long: `Store the canonical declaration of each run as an artifact of its own, tagged
airun-1-sha256-HEX, with the bundles as its referrers. The identity is enough to fetch the run,
with runattest fetch REPO@airun:1:sha256:HEX, without a database.

REPO is [oci://]HOST/REPO or oci-layout://PATH, which is made if it is not there: a tarball if the
name ends in .tar, else a folder. The declaration is taken from the bundle; for a detached
attestation it is given with --declaration. Other attestations about a run, such as approvals, go
where the run is. What is there already is left alone.

Nothing is verified: verify oci://REPO@airun:1:sha256:HEX does that.`,
		Example: `  runattest push registry.acme.example/runs run.json.sigstore.json
  runattest push --declaration run.yaml oci-layout://runs.d detached.sigstore.json
  runattest push oci-layout://runs.tar all.sigstore.jsonl`,
		Args:              referenceFirst,
		ValidArgsFunction: completeBundles,
	}
	files := cmd.Flags().StringArray("declaration", nil, "the `FILE` with the declaration of a detached attestation: JSON or YAML (repeatable)")
	reach := newRegistryFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ref, err := registry.ParseReference(args[0])
		if err != nil {
			return err
		}
		if !ref.IsRepository() {
			return fmt.Errorf("%s names an artifact: want a repository, the run's tag is made from its identity", ref)
		}
		blobs, err := readBundles(cmd, args[1:])
		if err != nil {
			return err
		}
		var declarations []*identity.Declaration
		for _, file := range *files {
			d, err := input.One(file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			declarations = append(declarations, d)
		}
		groups, err := registry.GroupByRun(contents(blobs), declarations...)
		if one, ok := errors.AsType[*registry.BundleError](err); ok {
			return fmt.Errorf("%s: %w", blobs[one.Index].Name, orDeclaration(err, blobs[one.Index].Data))
		}
		if err != nil {
			return err
		}
		return pushAll(cmd, reach, ref, blobs, groups)
	}
	return cmd
}

func pushAll(cmd *cobra.Command, reach *registryFlags, ref registry.Reference, blobs []input.Blob, groups []registry.Grouped) error {
	o := newOutput(cmd)
	moving := o.transfer(cmd.Context(), "attestations pushed")
	defer moving.end()
	if ref.IsLayout() {
		if err := registry.CreateLayout(ref.Path()); err != nil {
			return err
		}
	}
	target, err := reach.open(ref, moving.count)
	if err != nil {
		return err
	}
	step := 1
	if ref.IsLayout() {
		step = max(1, len(groups)) // a tarball is written once
	}
	for some := range slices.Chunk(groups, step) {
		if err := pushSome(cmd, o, target, blobs, some); err != nil {
			return err
		}
	}
	return nil
}

func pushSome(cmd *cobra.Command, o *output, target *registry.Target, all []input.Blob, some []registry.Grouped) error {
	var runs []registry.Run
	var blobs []input.Blob
	for _, g := range some {
		run := registry.Run{ID: g.ID, Declaration: g.Declaration}
		for _, i := range g.Bundles {
			blobs, run.Bundles = append(blobs, all[i]), append(run.Bundles, all[i].Data)
		}
		runs = append(runs, run)
	}
	done, err := target.PushRuns(cmd.Context(), runs...)
	if is[*registry.NoDeclarationError](err) {
		return withHint(err, "give it with --declaration FILE")
	}
	if err != nil {
		return ofBundle(blobs, err)
	}
	for i, p := range done {
		reports := []attachedReport{}
		for _, a := range p.Attached {
			reports = append(reports, attachedReport{blobs[0].Name, p.Artifact.Reference.String(), a.Referrer, a.Bundle, a.PredicateType, a.Existed})
			blobs = blobs[1:]
		}
		ref := target.Reference().WithRun(some[i].ID)
		object := map[string]any{"identity": ref.Run(), "reference": ref.String(), "artifact": p.Artifact.Reference.String(), "attestations": reports}
		if err := o.result(object, "%s", ref); err != nil {
			return err
		}
	}
	return nil
}
