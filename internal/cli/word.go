package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// A Word is the value of a flag that takes one of a few words.
type Word struct {
	value   string
	allowed []string
}

// WordFlag declares a flag that takes one of the allowed words, which are completed. The first is the default.
func WordFlag(cmd *cobra.Command, name, usage string, allowed ...string) *Word {
	w := &Word{allowed[0], allowed}
	cmd.Flags().Var(w, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp))
	return w
}

// String is the word.
func (w *Word) String() string { return w.value }

// Type is what help shows for the value: all words.
func (w *Word) Type() string { return strings.Join(w.allowed, "|") }

// Set refuses other words.
func (w *Word) Set(s string) error {
	if !slices.Contains(w.allowed, s) {
		return fmt.Errorf("want one of %s", strings.Join(w.allowed, ", "))
	}
	w.value = s
	return nil
}
