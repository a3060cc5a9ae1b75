package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
)

func newPolicy() *cobra.Command {
	cmd := cli.Group(newCommand("policy"))
	cmd.AddCommand(newPolicyCheck(), newPolicyTest(), newPolicyExplain(), newPolicySign())
	return cmd
}
