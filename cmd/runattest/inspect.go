package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
)

func newInspect() *cobra.Command {
	cmd := newCommand("inspect")
	cmd.Args = cli.OneArg("bundle")
	cmd.ValidArgsFunction = completeBundles
	onlyDeclaration := cmd.Flags().Bool("declaration", false, "write the declaration alone, in canonical form")
	onlyStatement := cmd.Flags().Bool("statement", false, "write the payload alone, as it was signed")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		if err := cli.Exclusive(cmd, "declaration", "statement"); err != nil {
			return err
		}
		if *onlyDeclaration || *onlyStatement {
			return inspectPart(cmd, o, args[0], *onlyStatement)
		}
		for blob, err := range files.Bundles(args[0], cmd.InOrStdin()) {
			var b *attest.Bundle
			if err == nil {
				b, err = files.ParseBundle(blob.Data)
			}
			if err == nil {
				err = inspect(o, blob.Name, b)
			}
			if err != nil {
				o.note(blob.Name, hintReference(args[0], err, fetchFirst))
			}
		}
		return o.done()
	}
	return cmd
}

// inspectPart writes the payload or the declaration of the one bundle in a file, once it is known to be the only one.
func inspectPart(cmd *cobra.Command, o *output, path string, statement bool) error {
	b, err := oneBundle(cmd, path)
	if err != nil {
		return err
	}
	if statement {
		return o.WriteRaw(b.UnverifiedPayload())
	}
	s, err := answer.Statement(b)
	if err == nil && s.Ref != nil {
		err = errors.New("the attestation is detached: the declaration is not in the bundle")
	}
	if err != nil {
		return named(path, err)
	}
	return o.WriteRaw(s.Declaration)
}

// inspect prints what one bundle says.
func inspect(o *output, name string, b *attest.Bundle) error {
	shown, err := answer.Inspect(b, name, claimedSigner(b))
	switch {
	case err != nil:
		return err
	case o.JSON:
		return o.Object(shown.Object)
	}
	return o.Lines(shown.Lines...)
}
