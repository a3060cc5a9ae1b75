package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A ForeignFlag is what flags of other programs are here.
type ForeignFlag struct {
	Names    []string // without hyphens
	Same     []string // the first of these flags that the command has, or else Say
	Where    string   // the flag of the commands in which Say holds; "" for every command
	Say      string   // "" for nothing
	IsOutput bool     // it names the file for the result, which goes to standard output
}

// redirected is said of names for an output, in commands that have none.
const redirected = "the result goes to standard output: write > FILE behind the command"

// meaning is what the flag is in a command, or "".
func (f ForeignFlag) meaning(cmd *cobra.Command) string {
	has := func(flag string) bool { return cmd.Flags().Lookup(flag) != nil }
	for _, same := range f.Same {
		if has(same) {
			return "here that is --" + same
		}
	}
	switch {
	case f.Say != "" && (f.Where == "" || has(f.Where)):
		return f.Say
	case f.IsOutput && cmd.Runnable() && has("help") && !has("dry-run"):
		return redirected
	}
	return ""
}

// HintFlag says what to do about a flag that was given wrong: of a flag of another program what it is here, of others which
// are alike.
func HintFlag(foreign []ForeignFlag) func(*cobra.Command, error) error {
	return func(cmd *cobra.Command, err error) error {
		if wrong := Misgiven(err); wrong != nil {
			return wrong
		}
		unknown := (*pflag.NotExistError)(nil)
		if !errors.As(err, &unknown) {
			return UnknownFlag(cmd, err)
		}
		if word := unknown.GetSpecifiedShortnames(); len(word) > 1 {
			name, _, _ := strings.Cut(word, "=")
			if cmd.Flags().Lookup(name) != nil {
				return WithHint(err, "write --"+name+", with two hyphens")
			}
		}
		for _, f := range foreign {
			if !slices.Contains(f.Names, unknown.GetSpecifiedName()) {
				continue
			}
			if what := f.meaning(cmd); what != "" {
				return WithHint(err, what)
			}
		}
		return UnknownFlag(cmd, err)
	}
}
