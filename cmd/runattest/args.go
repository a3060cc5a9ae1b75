package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/registry"
)

// referenceFirst asks for a reference and at least one bundle.
func referenceFirst(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cli.WithHint(errors.New("no reference and no bundle given"), "usage: "+cmd.UseLine())
	}
	if err := cli.SomeArgs("bundle")(cmd, args[1:]); err != nil {
		return err
	}
	if _, err := registry.ParseReference(args[0]); err != nil {
		if _, swapped := registry.ParseReference(args[len(args)-1]); swapped == nil {
			err = cli.WithHint(err, "the reference comes first: "+cmd.UseLine())
		}
		return err
	}
	return nil
}

// takeEmpty are the flags that have a meaning when they are empty.
var takeEmpty = []string{"env-allow"}
