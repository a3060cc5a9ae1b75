package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
)

func newTrustedRoot() *cobra.Command {
	cmd := cli.Group(newCommand("trusted-root"))
	cmd.AddCommand(newTrustedRootCreate(), newTrustedRootFetch(), newTrustedRootShow())
	return cmd
}

// outFlag is where a file goes: standard output unless it says otherwise.
func outFlag(cmd *cobra.Command) *string {
	out := cmd.Flags().String("out", cli.Stdout, "the `FILE` to write, whole or not at all; it may replace a trusted root; - is standard output")
	_ = cmd.MarkFlagFilename("out", "json")
	return out
}

// overRoot keeps a trusted root from being written over a file of another kind.
func overRoot(out string) error {
	return overwrite.CheckKind(cli.OutputName(out), input.KindTrustedRoot, files.Kind, limits.TrustedRoot)
}
