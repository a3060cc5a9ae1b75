package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
)

func newTrustedRoot() *cobra.Command {
	cmd := cli.Group(newCommand("trusted-root"))
	cmd.AddCommand(newTrustedRootCreate(), newTrustedRootFetch(), newTrustedRootShow())
	return cmd
}

// outFlag is where a file goes: standard output unless it says otherwise.
func outFlag(cmd *cobra.Command) *string {
	out := cmd.Flags().String("out", cli.Stdout, "the `FILE` to write, whole or not at all; - is standard output")
	_ = cmd.MarkFlagFilename("out", "json")
	return out
}
