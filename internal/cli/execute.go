package cli

import (
	"context"
	"errors"

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
	if err == nil {
		err = checkHelpAlone(cmd)
	}
	return cmd, stdout, err
}

// checkHelpAlone refuses to take the help of a command that was given arguments, too, for its answer: a wrapper that passes on what it is
// given would take the status for that of the command.
func checkHelpAlone(cmd *cobra.Command) error {
	if help := cmd.Flags().Lookup("help"); help == nil || help.Value.String() != "true" || cmd.Flags().NFlag()+cmd.Flags().NArg() == 1 {
		return nil
	}
	return WithHint(errors.New("help was asked for beside other arguments: nothing was done"), "ask for it alone")
}
