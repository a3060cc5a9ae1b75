package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/listing"
	"github.com/runattest/runattest/registry/upload"
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
		p := &upload.Pusher{Repository: ref}
		if err := p.Check(); err != nil {
			return err
		}
		given, err := files.ReadDeclarations(*paths, cmd.InOrStdin())
		if err != nil {
			return err
		}
		p.Declarations = slices.Collect(given.All())
		return pushAll(cmd, reach, p, args[1:])
	}
	return cmd
}

func pushAll(cmd *cobra.Command, reach *registryFlags, p *upload.Pusher, paths []string) error {
	o := newOutput(cmd)
	moving := o.transfer(cmd.Context(), "attestations pushed")
	defer moving.End()
	p.Open = func(ref registry.Reference) (*registry.Target, error) { return reach.open(ref, moving.Count) }
	left, err := upload.Store(cmd.Context(), upload.Parts(cmd.InOrStdin(), paths...), func(blobs []files.Blob, done func(files.Blob)) error {
		p.Pushed = func(d upload.Pushed) (err error) {
			for _, b := range d.Blobs {
				done(b)
			}
			moving.Say(func() { err = o.printPushed(d) })
			return err
		}
		return p.Push(cmd.Context(), blobs)
	})
	moving.End()
	o.sayLeft("pushed", left, err)
	if is[*registry.NoDeclarationError](err) {
		return cli.WithHint(err, "give it with --declaration FILE")
	}
	return hintFile(err)
}

func (o *output) printPushed(d upload.Pushed) error {
	reports := []listing.Attached{}
	for i, a := range d.Attached {
		reports = append(reports, listing.NewAttached(d.Blobs[i].Name, d.Artifact, a))
	}
	object := map[string]any{"identity": d.Reference.Run(), "reference": d.Reference.String(), "artifact": d.Artifact.Reference.String(), "attestations": reports}
	return o.Result(object, "%s", d.Reference)
}
