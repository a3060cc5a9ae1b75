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
		if one := (*registry.BundleError)(nil); errors.As(err, &one) {
			if isDeclaration(blobs[one.Index].Data) {
				err = errDeclaration
			}
			return fmt.Errorf("%s: %w", blobs[one.Index].Name, err)
		}
		if err != nil {
			return err
		}
		var runs []pushed
		for _, g := range groups {
			run := pushed{id: g.ID, declaration: g.Declaration}
			for _, i := range g.Bundles {
				run.blobs = append(run.blobs, blobs[i])
			}
			runs = append(runs, run)
		}
		return pushAll(cmd, newOutput(cmd), reach, ref, runs)
	}
	return cmd
}

// pushed is a run with what is to be stored of it.
type pushed struct {
	id          identity.ID
	declaration *identity.Declaration
	blobs       []input.Blob
}

func pushAll(cmd *cobra.Command, o *output, reach *registryFlags, ref registry.Reference, runs []pushed) error {
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
		step = max(1, len(runs)) // a tarball is written once
	}
	for some := range slices.Chunk(runs, step) {
		if err := pushSome(cmd, o, target, ref, some); err != nil {
			return err
		}
	}
	return nil
}

func pushSome(cmd *cobra.Command, o *output, target *registry.Target, ref registry.Reference, some []pushed) error {
	var runs []registry.Run
	var blobs []input.Blob
	for _, run := range some {
		blobs = append(blobs, run.blobs...)
		var err error
		if run.declaration == nil {
			if run.declaration, _, err = target.FetchRun(cmd.Context(), run.id); errors.Is(err, registry.ErrNotFound) {
				return withHint(fmt.Errorf("%s: its declaration is neither in a bundle nor in %s", run.id, ref), "give it with --declaration FILE")
			} else if err != nil {
				return err
			}
		}
		runs = append(runs, registry.Run{Declaration: run.declaration, Bundles: contents(run.blobs)})
	}
	done, err := target.PushRuns(cmd.Context(), runs...)
	if one := (*registry.BundleError)(nil); errors.As(err, &one) {
		return named(blobs[one.Index].Name, err)
	}
	if err != nil {
		return err
	}
	for i, p := range done {
		if err := o.printPushed(ref.WithRun(some[i].id), p.Artifact, some[i].blobs, p.Attached); err != nil {
			return err
		}
	}
	return nil
}

func (o *output) printPushed(ref registry.Reference, artifact *registry.Artifact, blobs []input.Blob, attached []registry.Attached) error {
	if !o.json {
		return o.line("%s", ref)
	}
	reports := []attachedReport{}
	for i, a := range attached {
		reports = append(reports, attachedReport{blobs[i].Name, artifact.Reference.String(), a.Referrer, a.Bundle, a.PredicateType, a.Existed})
	}
	return o.object(map[string]any{
		"identity": ref.Run(), "reference": ref.String(), "artifact": artifact.Reference.String(), "attestations": reports,
	})
}
