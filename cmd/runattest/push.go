package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/registry"
)

func newPush() *cobra.Command {
	cmd := newCommand("push")
	cmd.Args = referenceFirst
	cmd.ValidArgsFunction = completeBundles
	paths := cmd.Flags().StringArray("declaration", nil, "the `FILE` with the declaration of a detached attestation: JSON or YAML (repeatable)")
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
		for _, file := range *paths {
			d, err := files.OneDeclaration(file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			declarations = append(declarations, d)
		}
		groups, err := registry.GroupByRun(contents(blobs), declarations...)
		if one, ok := errors.AsType[*registry.BundleError](err); ok {
			return fmt.Errorf("%s: %w", blobs[one.Index].Name, files.ExplainBundle(err, blobs[one.Index].Data))
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
	defer moving.End()
	if ref.IsLayout() {
		if err := mayCreate(ref, groups); err != nil {
			return cli.WithHint(err, "give it with --declaration FILE")
		}
		if err := registry.CreateLayout(ref.Path()); err != nil {
			return err
		}
	}
	target, err := reach.open(ref, moving.Count)
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

// mayCreate keeps a layout that is not there from being made for runs that cannot be stored in it.
func mayCreate(ref registry.Reference, groups []registry.Grouped) error {
	if _, err := os.Lstat(ref.Path()); err == nil {
		return nil
	}
	for _, g := range groups {
		if g.Declaration == nil {
			return &registry.NoDeclarationError{Run: g.ID, Repository: ref}
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
		return cli.WithHint(err, "give it with --declaration FILE")
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
		if err := o.Result(object, "%s", ref); err != nil {
			return err
		}
	}
	return nil
}
