package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/listing"
)

func newList() *cobra.Command {
	cmd := newCommand("list")
	cmd.Args = cli.OneArg("reference")
	types := predicateTypesFlag(cmd)
	reach := newRegistryFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		moving := o.transfer(cmd.Context(), "attestations fetched")
		defer moving.End()
		target, artifact, err := reach.resolve(o, args[0], moving)
		if err != nil {
			return err
		}
		all, err := target.List(cmd.Context(), artifact, listing.LongTypes(*types)...)
		if err != nil {
			return err
		}
		var rows []listing.Row
		for found, err := range all.Bundles(cmd.Context()) {
			row, err := listing.NewRow(artifact, found, err, func(f *registry.Found) string { return claimedSigner(f.Bundle) })
			if registry.IsOfOne(err) {
				moving.Say(func() { o.note("", err) })
				continue
			}
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		moving.End()
		listing.Sort(rows)
		if err := o.printList(rows); err != nil {
			return err
		}
		o.sayLeftOut(all)
		if len(rows) == 0 {
			o.sayPlatforms(cmd.Context(), target, artifact)
		}
		return o.done()
	}
	return cmd
}

func (o *output) printList(rows []listing.Row) error {
	if o.JSON {
		for _, row := range rows {
			if err := o.Object(row); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 0 {
		if o.status == exitYes {
			o.Info("no attestations")
		}
		return nil
	}
	return listing.WriteTable(o.Out, rows)
}

// sayLeftOut says what a listing did not show.
func (o *output) sayLeftOut(l *registry.Listing) {
	if n := l.Foreign(); n > 0 {
		o.Info("%d referrers of other artifact types were skipped", n)
	}
	if n := l.Filtered(); n > 0 {
		o.Info("%d attestations of other predicate types were skipped", n)
	}
	if n := l.Repeated(); n > 0 {
		o.Info("%d referrers that hold a bundle again were skipped", n)
	}
}
