package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/build"
	"github.com/runattest/runattest/internal/cli"
)

func newVersion() *cobra.Command {
	cmd := newCommand("version")
	cmd.Args = cli.NoArgs("")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o := newOutput(cmd)
		b := build.Read()
		commit := ""
		if b.Commit != "" {
			commit = " (" + b.Commit + ")"
		}
		return o.Result(b, "runattest %s%s %s %s", b.Version, commit, b.Go, b.Platform)
	}
	return cmd
}
