package main

import (
	"github.com/spf13/cobra"
)

func newPolicy() *cobra.Command {
	cmd := group(newCommand("policy"))
	cmd.AddCommand(newPolicyCheck(), newPolicyTest(), newPolicyExplain(), newPolicySign())
	return cmd
}
