package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/policy"
)

func newPolicyCheck() *cobra.Command {
	cmd := newCommand("policy_check")
	cmd.Args = cli.SomeArgs("policy")
	cmd.ValidArgsFunction = cli.CompleteFiles("yaml", "yml", "json")
	signers := newPolicySigners(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		paths, signatures := files.WithoutBundles(args...)
		if len(signatures) > 0 {
			o.Info("note: passed over, since they are bundles: %s", visible.List(signatures))
		}
		for _, path := range paths {
			loaded, err := loadPolicy(cmd, path, signers, policyOptions)
			var invalid *policy.InvalidError
			var problems []identity.Problem
			if errors.As(err, &invalid) {
				problems, err = invalid.Problems, nil
			} else if err == nil {
				problems = loaded.Warnings(clock())
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
