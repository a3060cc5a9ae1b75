package main

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/registry"
)

func newPush() *cobra.Command {
	cmd := newCommand("push")
	cmd.Args = referenceFirst
	cmd.ValidArgsFunction = completeBundles
	paths := cmd.Flags().StringArray("declaration", nil, "the `FILE` with declarations of detached attestations, JSON, YAML or JSON Lines, or a folder of such files (repeatable)")
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
		p := &pusher{output: newOutput(cmd), cmd: cmd, reach: reach, ref: ref}
		given, err := files.ReadDeclarations(*paths, cmd.InOrStdin())
		if err != nil {
			return err
		}
		p.declarations = slices.Collect(given.All())
		return p.pushAll(bundleParts(cmd, args[1:]))
	}
	return cmd
}

// pusher stores runs with their bundles, some at a time.
type pusher struct {
	*output
	cmd          *cobra.Command
	reach        *registryFlags
	ref          registry.Reference
	declarations []*identity.Declaration
	target       *registry.Target // nil until the first are pushed
	moving       *terminal.Transfer
}

func (p *pusher) pushAll(parts iter.Seq2[[]input.Blob, error]) error {
	p.moving = p.transfer(p.cmd.Context(), "attestations pushed")
	defer p.moving.End()
	for blobs, err := range parts {
		var groups []registry.Grouped
		if err == nil {
			groups, err = p.group(blobs)
		}
		if err == nil && p.target == nil {
			p.target, err = p.open(groups)
		}
		if err != nil {
			return err
		}
		step := 1
		if p.ref.IsLayout() {
			step = max(1, len(groups)) // a tarball is written once
		}
		for some := range slices.Chunk(groups, step) {
			if err := p.push(blobs, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// group groups bundles by run. The runs of declarations without a bundle are among the first.
func (p *pusher) group(blobs []input.Blob) ([]registry.Grouped, error) {
	groups, err := registry.GroupByRun(contents(blobs), p.declarations...)
	if one, ok := errors.AsType[*registry.BundleError](err); ok {
		return nil, fmt.Errorf("%s: %w", blobs[one.Index].Name, files.ExplainBundle(err, blobs[one.Index].Data))
	}
	if p.target != nil {
		groups = slices.DeleteFunc(groups, func(g registry.Grouped) bool { return len(g.Bundles) == 0 })
	}
	return groups, err
}

// open opens the repository, and makes a layout that is not there.
func (p *pusher) open(groups []registry.Grouped) (*registry.Target, error) {
	if p.ref.IsLayout() {
		if err := mayCreate(p.ref, groups); err != nil {
			return nil, cli.WithHint(err, "give it with --declaration FILE")
		}
		if err := registry.CreateLayout(p.ref.Path()); err != nil {
			return nil, err
		}
	}
	return p.reach.open(p.ref, p.moving.Count)
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

func (p *pusher) push(all []input.Blob, some []registry.Grouped) error {
	var runs []registry.Run
	var blobs []input.Blob
	for _, g := range some {
		run := registry.Run{ID: g.ID, Declaration: g.Declaration}
		for _, i := range g.Bundles {
			blobs, run.Bundles = append(blobs, all[i]), append(run.Bundles, all[i].Data)
		}
		runs = append(runs, run)
	}
	done, err := p.target.PushRuns(p.cmd.Context(), runs...)
	if is[*registry.NoDeclarationError](err) {
		return cli.WithHint(err, "give it with --declaration FILE")
	}
	if err != nil {
		return ofBundle(blobs, err)
	}
	for i, d := range done {
		reports := []attachedReport{}
		for _, a := range d.Attached {
			reports = append(reports, attachedReport{blobs[0].Name, d.Artifact.Reference.String(), a.Referrer, a.Bundle, a.PredicateType, a.Existed})
			blobs = blobs[1:]
		}
		ref := p.target.Reference().WithRun(some[i].ID)
		object := map[string]any{"identity": ref.Run(), "reference": ref.String(), "artifact": d.Artifact.Reference.String(), "attestations": reports}
		p.moving.Say(func() { err = p.Result(object, "%s", ref) })
		if err != nil {
			return err
		}
	}
	return nil
}
