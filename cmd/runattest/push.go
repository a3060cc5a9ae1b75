package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry"
)

func newPush() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "push REPO BUNDLE...",
		Short: "Store runs in a registry, each under its identity",
		Long: `Store the canonical declaration of each run as an artifact of its own, tagged
airun-1-sha256-HEX, with the bundles as its referrers: whoever has the identity fetches the run
with runattest fetch REPO@airun:1:sha256:HEX, and needs no database.

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
	files := cmd.Flags().StringArray("declaration", nil, "the declaration of a detached attestation: JSON or YAML (repeatable)")
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
		runs := runsByID{}
		for _, file := range *files {
			d, err := input.One(file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			runs.of(d.ID()).declaration = d
		}
		for _, blob := range blobs {
			if err := runs.add(blob); err != nil {
				return fmt.Errorf("%s: %w", blob.Name, err)
			}
		}
		return runs.push(cmd, newOutput(cmd), reach, ref)
	}
	return cmd
}

// pushed is a run with what is to be stored of it.
type pushed struct {
	declaration *identity.Declaration
	blobs       []input.Blob
}

type runsByID map[identity.ID]*pushed

func (r runsByID) of(id identity.ID) *pushed {
	if r[id] == nil {
		r[id] = &pushed{}
	}
	return r[id]
}

// add files a bundle under the run that it claims to be about.
func (r runsByID) add(blob input.Blob) error {
	b, err := attest.ParseBundle(blob.Data)
	if err != nil {
		return err
	}
	subjects, err := b.UnverifiedSubjects()
	if err != nil {
		return err
	}
	id, err := identity.ParseID(subjects[0].Name)
	if err != nil {
		return errors.New("the statement's first subject is no run")
	}
	run := r.of(id)
	run.blobs = append(run.blobs, blob)
	if s, err := b.UnverifiedStatement(); err == nil && s.Declaration != nil {
		d, err := identity.Parse(s.Declaration)
		if err != nil {
			return err
		}
		if d.ID() != id {
			return fmt.Errorf("the declaration's identity is %s, but the statement is about %s", d.ID(), id)
		}
		run.declaration = d
	}
	return nil
}

func (r runsByID) push(cmd *cobra.Command, o *output, reach *registryFlags, ref registry.Reference) error {
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
	ids := r.sorted()
	step := 1
	if ref.IsLayout() {
		step = max(1, len(ids)) // a tarball is written once
	}
	for some := range slices.Chunk(ids, step) {
		if err := r.pushSome(cmd, o, target, ref, some); err != nil {
			return err
		}
	}
	return nil
}

func (r runsByID) pushSome(cmd *cobra.Command, o *output, target *registry.Target, ref registry.Reference, ids []identity.ID) error {
	var runs []registry.Run
	var blobs []input.Blob
	for _, id := range ids {
		run := r[id]
		blobs = append(blobs, run.blobs...)
		var err error
		if run.declaration == nil {
			if run.declaration, _, err = target.FetchRun(cmd.Context(), id); errors.Is(err, registry.ErrNotFound) {
				return withHint(fmt.Errorf("%s: its declaration is neither in a bundle nor in %s", id, ref), "give it with --declaration FILE")
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
		if err := o.printPushed(ref.WithRun(ids[i]), p.Artifact, r[ids[i]], p.Attached); err != nil {
			return err
		}
	}
	return nil
}

func (r runsByID) sorted() []identity.ID {
	var ids []identity.ID
	for id := range r {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b identity.ID) int { return strings.Compare(a.Hex(), b.Hex()) })
	return ids
}

func (o *output) printPushed(ref registry.Reference, artifact *registry.Artifact, run *pushed, attached []registry.Attached) error {
	if !o.json {
		return o.line("%s", ref)
	}
	reports := []attachedReport{}
	for i, a := range attached {
		reports = append(reports, attachedReport{run.blobs[i].Name, artifact.Reference.String(), a.Referrer, a.Bundle, a.PredicateType, a.Existed})
	}
	return o.object(map[string]any{
		"identity": ref.Run(), "reference": ref.String(), "artifact": artifact.Reference.String(), "attestations": reports,
	})
}
