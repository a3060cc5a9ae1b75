package main

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/listing"
	"github.com/runattest/runattest/registry/upload"
)

func newAttach() *cobra.Command {
	cmd := newCommand("attach")
	cmd.Args = referenceFirst
	cmd.ValidArgsFunction = completeBundles
	reach := newRegistryFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return attachAll(cmd, newOutput(cmd), reach, args[0], upload.Parts(cmd.InOrStdin(), args[1:]...))
	}
	return cmd
}

func attachAll(cmd *cobra.Command, o *output, reach *registryFlags, ref string, parts iter.Seq2[[]input.Blob, error]) error {
	var target *registry.Target
	var artifact *registry.Artifact
	moving := o.transfer(cmd.Context(), "attached")
	defer moving.End()
	attached := func(blob input.Blob, a registry.Attached) (err error) {
		moving.Say(func() { err = o.printAttached(artifact, blob.Name, a) })
		return err
	}
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	left, err := upload.Store(ctx, parts, func(blobs []input.Blob, done func(input.Blob)) (err error) {
		if target == nil {
			if target, artifact, err = reach.resolve(o, ref, moving); err != nil {
				stop() // nothing is attached, whatever follows
				return err
			}
		}
		return upload.Attach(cmd.Context(), target, artifact, blobs, func(blob input.Blob, a registry.Attached) error {
			done(blob)
			return attached(blob, a)
		})
	})
	moving.End()
	if ctx.Err() == nil || cmd.Context().Err() != nil {
		o.sayLeft("attached", left, err)
	}
	return hintFile(err)
}

// sayLeft names what is not known to be stored because of an error, unless the error does so.
func (o *output) sayLeft(done string, left []string, err error) {
	for _, name := range left {
		if !strings.HasPrefix(err.Error(), name) {
			o.Info("not known to be %s: %s", done, name)
		}
	}
}

// hintFile adds the hint for a registry reference that was given in the place of a file.
func hintFile(err error) error {
	if file, ok := errors.AsType[*upload.FileError](err); ok {
		return hintReference(file.Path, err, fetchFirst)
	}
	return err
}

func (o *output) printAttached(artifact *registry.Artifact, name string, a registry.Attached) error {
	attached := listing.NewAttached(name, artifact, a)
	return o.Result(attached, "%s", attached)
}
