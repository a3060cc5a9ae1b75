package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runattest/runattest/registry"
)

// noArgs refuses arguments; the hint says where what was given belongs.
func noArgs(hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if hint == "" {
			hint = "usage: " + cmd.UseLine()
		}
		return withHint(fmt.Errorf("%s takes no arguments, and got %q", cmd.Name(), args[0]), hint)
	}
}

// oneArg asks for one argument, and tells what of.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return withHint(fmt.Errorf("no %s given", what), "usage: "+cmd.UseLine())
		case 1:
			return nil
		}
		return withHint(fmt.Errorf("want one %s, and got %d arguments", what, len(args)), "usage: "+cmd.UseLine())
	}
}

// needFiles asks for at least one argument, and tells what of.
func needFiles(cmd *cobra.Command, args []string, what string) error {
	if len(args) == 0 {
		return withHint(fmt.Errorf("no %s given", what), "usage: "+cmd.UseLine())
	}
	return nil
}

// referenceFirst asks for a reference and at least one bundle.
func referenceFirst(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return withHint(errors.New("no reference and no bundle given"), "usage: "+cmd.UseLine())
	}
	if err := needFiles(cmd, args[1:], "bundle"); err != nil {
		return err
	}
	if _, err := registry.ParseReference(args[0]); err != nil {
		if _, swapped := registry.ParseReference(args[len(args)-1]); swapped == nil {
			err = withHint(err, "the reference comes first: "+cmd.UseLine())
		}
		return err
	}
	return nil
}

// group makes a command that only has subcommands: it shows its help, and suggests subcommands for a
// misspelt one.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return unknownCommand(cmd, args[0])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

func unknownCommand(cmd *cobra.Command, name string) error {
	hint := cmd.CommandPath() + " --help lists what there is"
	if alike := cmd.SuggestionsFor(name); len(alike) > 0 {
		hint = "did you mean " + strings.Join(alike, ", or ") + "? " + hint
	}
	return withHint(fmt.Errorf("unknown command %q", name), hint)
}

// newHelp is cobra's help command with an error for what there is no help for.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if found == nil || err != nil && len(rest) == 0 {
				return errors.Join(err, unknownCommand(cmd.Root(), strings.Join(args, " ")))
			}
			if len(rest) > 0 {
				return unknownCommand(found, rest[0])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if found, _, err := cmd.Root().Find(args); err == nil {
				for _, sub := range found.Commands() {
					if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), typed) {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// hintFlag says to who knows cosign what a flag of it is here, and to others which is alike.
func hintFlag(cmd *cobra.Command, err error) error {
	if wrong := misgiven(err); wrong != nil {
		return wrong
	}
	for flag, hint := range map[string]string{
		"--bundle":               "bundles are arguments: runattest verify --key PUB BUNDLE",
		"--insecure-ignore-tlog": "no log is asked for unless --require-log says so",
		"--tlog-upload":          "nothing is published unless --rekor, --fulcio or --signing-config says where",
		"--rekor-url":            "--rekor URL",
		"--fulcio-url":           "--fulcio URL",
		"--yes":                  "nothing is asked that --yes would answer",
	} {
		if err.Error() == "unknown flag: "+flag {
			return withHint(err, hint)
		}
	}
	hint := cmd.CommandPath() + " --help lists what there is"
	if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		if alike := flagsLike(cmd, unknown.GetSpecifiedName()); len(alike) > 0 {
			hint = "did you mean " + strings.Join(alike, ", or ") + "? " + hint
		}
	}
	return withHint(err, hint)
}

// flagsLike are the flags that name may have been meant for, by the measure that cobra has for commands.
func flagsLike(cmd *cobra.Command, name string) []string {
	names := cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	alike := names.SuggestionsFor(name)
	for i := range alike {
		alike[i] = "--" + alike[i]
	}
	return alike
}
