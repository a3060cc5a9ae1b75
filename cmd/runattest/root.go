package main

import (
	"context"
	"embed"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/signer"
)

// groups are the subcommands in the order in which people meet them.
var groups = []*cobra.Group{
	{ID: "declare", Title: "Declare a run:"},
	{ID: "sign", Title: "Sign:"},
	{ID: "verify", Title: "Verify:"},
	{ID: "registry", Title: "Keep in OCI registries:"},
	{ID: "govern", Title: "Approve, decide and execute:"},
	{ID: "trust", Title: "Keys and trust:"},
}

func init() { cobra.EnableCommandSorting = false } // help lists commands in the order of subcommands

type subcommand struct {
	name, group string
	make        func() *cobra.Command
}

// pages are the help of the commands: help/sign.txt of sign, help/policy_check.txt of policy check.
//
//go:embed help/*.txt
var pages embed.FS

// newCommand makes a command with its page of help.
func newCommand(page string) *cobra.Command { return cli.NewCommand(pages, "help/"+page) }

// subcommands are made only when they are asked for: making all of them takes a tenth of the time of a
// short command.
var subcommands = []subcommand{
	{"capture", "declare", newCapture},
	{"id", "declare", newID},
	{"lint", "declare", newLint},
	{"canonicalize", "declare", newCanonicalize},
	{"sign", "sign", newSign},
	{"set", "sign", newSet},
	{"link", "sign", newLink},
	{"verify", "verify", newVerify},
	{"inspect", "verify", newInspect},
	{"graph", "verify", newGraph},
	{"journal", "verify", newJournal},
	{"attach", "registry", newAttach},
	{"push", "registry", newPush},
	{"list", "registry", newList},
	{"fetch", "registry", newFetch},
	{"approve", "govern", newApprove},
	{"policy", "govern", newPolicy},
	{"exec", "govern", newExec},
	{"gateway", "govern", newGateway},
	{"keygen", "trust", newKeygen},
	{"public-key", "trust", newPublicKey},
	{"trusted-root", "trust", newTrustedRoot},
	{"version", "", newVersion},
}

// newRoot is the command tree: the one subcommand that the arguments begin with, or else all.
func newRoot(args ...string) *cobra.Command {
	root := cli.Group(newCommand("runattest"))
	root.SilenceErrors = true
	root.SilenceUsage = true
	version := root.Flags().Bool("version", false, "print the version")
	help := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *version {
			return newVersion().RunE(cmd, nil)
		}
		return help(cmd, args)
	}
	root.SetHelpCommand(cli.NewHelp())
	root.SetFlagErrorFunc(cli.HintFlag(foreignFlags))
	root.AddGroup(groups...)
	named := len(args) > 0 && slices.ContainsFunc(subcommands, func(s subcommand) bool { return s.name == args[0] })
	for _, sub := range subcommands {
		if named && sub.name != args[0] {
			continue
		}
		cmd := sub.make()
		cmd.GroupID = sub.group
		root.AddCommand(cmd)
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.CompletionOptions.DisableDefaultCmd = named // it is not asked for
	return root
}

// startsCommand tells a call of exec from one for its help.
func startsCommand(cmd *cobra.Command) bool {
	help, err := cmd.Flags().GetBool("help")
	return cmd.Name() == "exec" && (err != nil || !help)
}

// run executes a command line and gives the process's exit status.
func run(ctx context.Context, root *cobra.Command, args []string) int {
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		cmd.SetIn(terminal.Announce(cmd.InOrStdin(), cmd.ErrOrStderr()))
		return checkStdin(cmd, args)
	}
	cmd, stdout, err := cli.Execute(ctx, root, args, signer.PrivateKeyIn, takeEmpty...)
	status := exitYes
	if err != nil {
		status = newOutput(cmd).fail(err)
	}
	if lost := stdout.Lost(); lost != nil && !startsCommand(cmd) { // whose status says whether the command was started
		status = newOutput(cmd).fail(fmt.Errorf("standard output: %w", lost))
	}
	if failure, ok := stdout.Unanswered(); ok && newOutput(cmd).JSON {
		_ = newOutput(cmd).Object(failure) // the status says already that something failed
	}
	return status
}
