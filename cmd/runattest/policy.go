package main

import (
	"github.com/spf13/cobra"
)

func newPolicy() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "policy",
		Short: "Check, try, explain and sign the policies that runs must satisfy",
		Long: `A policy says in one file who signs runs, with which evidence of time, which kinds of runs may be
done, who approves them, and which rules their declarations keep: docs/governance.md. verify
--policy and exec --policy apply it.`,
		Example: `  runattest policy check policy.yaml
  runattest policy test policies/
  runattest policy explain --policy policy.yaml run.json.sigstore.json
  runattest policy sign --key release.key policy.yaml`,
	})
	cmd.AddCommand(newPolicyCheck(), newPolicyTest(), newPolicyExplain(), newPolicySign())
	return cmd
}
