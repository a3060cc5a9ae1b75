package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
)

func newPolicyCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say what is wrong with a policy",
		Long: `Read each policy with the files that it refers to, type-check its rules, and find demands that no run
can meet, such as an approval by those alone who sign the runs. Every problem has its line and column. --policy-key and --policy-certificate-identity ask for the policy's signature,
too.

Exit status: 0 every policy can be used; 1 one cannot; 2 one is not there.`,
		Example: `  runattest policy check policy.yaml
  runattest policy check --policy-key release.pub policy.yaml`,
		Args:              func(cmd *cobra.Command, args []string) error { return needFiles(cmd, args, "policy") },
		ValidArgsFunction: completeFiles("yaml", "yml", "json"),
	}
	signers := newPolicySigners(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		for _, path := range args {
			_, err := loadPolicy(cmd, path, signers)
			var invalid *policy.InvalidError
			var problems []identity.Problem
			if errors.As(err, &invalid) {
				problems, err = invalid.Problems, nil
			}
			if err != nil {
				o.noteUnread(path, err)
			} else if err = printProblems(o, path, problems, false); err != nil {
				o.note(path, err)
			}
		}
		return o.done()
	}
	return cmd
}
