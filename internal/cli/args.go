package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// NoArgs refuses arguments; the hint says where what was given belongs. Without one it is the usage.
func NoArgs(hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if hint == "" {
			hint = usage(cmd)
		}
		return WithHint(fmt.Errorf("%s takes no arguments, and got %q", cmd.Name(), args[0]), hint)
	}
}

// OneArg asks for one argument, and tells what of.
func OneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return missing(cmd, what)
		case 1:
			return nil
		}
		return WithHint(fmt.Errorf("want one %s, and got %d arguments", what, len(args)), usage(cmd))
	}
}

// SomeArgs asks for at least one argument, and tells what of.
func SomeArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return missing(cmd, what)
		}
		return nil
	}
}

func missing(cmd *cobra.Command, what string) error {
	return WithHint(fmt.Errorf("no %s given", what), usage(cmd))
}

func usage(cmd *cobra.Command) string { return "usage: " + cmd.UseLine() }

// CompleteFiles completes arguments with the files of these extensions.
func CompleteFiles(extensions ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

// Group makes a command that only has subcommands: it shows its help, and suggests subcommands for a misspelt one.
func Group(cmd *cobra.Command) *cobra.Command {
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
	alike := cmd.SuggestionsFor(name)
	if len(name) <= cmd.SuggestionsMinimumDistance { // to which every short name is alike
		alike = slices.DeleteFunc(alike, func(s string) bool { return !strings.HasPrefix(s, name) })
	}
	return WithHint(fmt.Errorf("unknown command %q", name), suggest(cmd, alike))
}

// CheckHelp refuses a call for the help of a command that is not there, which cobra answers with the help of the one above,
// wherever the flag stands.
func CheckHelp(root *cobra.Command, args []string) error {
	flags, operands := args, []string(nil)
	if i := slices.Index(args, "--"); i >= 0 {
		flags, operands = args[:i], args[i+1:]
	}
	if !slices.ContainsFunc(flags, asksForHelp) || args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd {
		return nil
	}
	at, isValue := root, false
	for _, arg := range flags {
		if isValue {
			isValue = false
			continue
		}
		if strings.HasPrefix(arg, "-") && arg != "-" {
			flag := lookUp(at, arg)
			if flag == nil && !asksForHelp(arg) { // which cobra says
				return nil
			}
			isValue = flag != nil && flag.NoOptDefVal == "" && !strings.Contains(arg, "=")
			continue
		}
		if at.Name() == "help" && at.Parent() == root {
			at = root
		}
		if !at.HasSubCommands() {
			return nil
		}
		i := slices.IndexFunc(at.Commands(), func(c *cobra.Command) bool { return c.Name() == arg || c.HasAlias(arg) })
		if i < 0 {
			return unknownCommand(at, arg)
		}
		at = at.Commands()[i]
	}
	if at.HasSubCommands() && len(operands) > 0 {
		return unknownCommand(at, operands[0])
	}
	return nil
}

// lookUp is the flag of a command that an argument names; nil if there is none, or several in one argument.
func lookUp(cmd *cobra.Command, arg string) *pflag.Flag {
	name, _, _ := strings.Cut(arg, "=")
	if long, ok := strings.CutPrefix(name, "--"); ok {
		return cmd.Flags().Lookup(long)
	}
	if len(name) != len("-x") {
		return nil
	}
	return cmd.Flags().ShorthandLookup(name[1:])
}

// asksForHelp tells the flag for help, also with a value.
func asksForHelp(arg string) bool {
	name, value, given := strings.Cut(arg, "=")
	if name != "--help" && name != "-h" {
		return false
	}
	yes, err := strconv.ParseBool(value)
	return !given || err == nil && yes
}

// suggest is the hint for a name that the command does not know.
func suggest(cmd *cobra.Command, alike []string) string {
	hint := cmd.CommandPath() + " --help lists what there is"
	if len(alike) > 0 {
		hint = "did you mean " + strings.Join(alike, ", or ") + "? " + hint
	}
	return hint
}

// NewHelp is cobra's help command with an error for what there is no help for.
func NewHelp() *cobra.Command {
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

// UnknownFlag adds the hint to pflag's error for a flag that the command does not have: the flags that are like it.
func UnknownFlag(cmd *cobra.Command, err error) error {
	var alike []string
	if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		alike = flagsLike(cmd, unknown.GetSpecifiedName())
	}
	return WithHint(err, suggest(cmd, alike))
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
