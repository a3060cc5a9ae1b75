package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// Execute executes a command line, after it has refused what no command should be given: an argument that holds a secret, as
// secretIn tells it, a flag that is given twice, or empty where its name is not in mayBeEmpty, and help for a command that is not
// there. It returns the command that the line names, and standard output, which knows what was lost there.
func Execute(ctx context.Context, root *cobra.Command, args []string, secretIn func([]byte) string, mayBeEmpty ...string) (*cobra.Command, *CheckedOutput, error) {
	root.SetArgs(args)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" { // cobra's shows its help for any name
			Group(cmd)
		}
	}
	CheckGiven(root, mayBeEmpty...)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stdout := NewCheckedOutput(root.OutOrStdout(), stop)
	root.SetOut(stdout)
	if err := CheckArguments(args, secretIn); err != nil {
		return root, stdout, err
	}
	if err := CheckHelp(root, args); err != nil {
		return root, stdout, err
	}
	cmd, err := root.ExecuteContextC(ctx)
	return cmd, stdout, err
}
