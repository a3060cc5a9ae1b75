package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// givenValue is the value of a flag that is given at most once, and if it is a text, not as an empty one. pflag lets the
// last of several win without a word, so that arguments appended to a command line would replace its policy, or what it
// expects; and an unset shell variable would leave a flag out that is there to be read.
type givenValue struct {
	pflag.Value
	set, mayBeEmpty bool
}

func (v *givenValue) Set(s string) error {
	switch {
	case v.set:
		return errTwice
	case s == "" && v.Type() == "string" && !v.mayBeEmpty:
		return errEmpty
	}
	v.set = true
	return v.Value.Set(s)
}

var (
	errTwice = errors.New("is given twice")
	errEmpty = errors.New("is empty")
)

// CheckGiven makes it an error, in a command and all below it, to give a flag twice that is not a list, or to give an
// empty text to one whose name is not in mayBeEmpty.
func CheckGiven(cmd *cobra.Command, mayBeEmpty ...string) {
	cmd.InitDefaultHelpFlag()
	check := func(f *pflag.Flag) {
		_, list := f.Value.(pflag.SliceValue)
		if _, done := f.Value.(*givenValue); !list && !done {
			f.Value = &givenValue{Value: f.Value, mayBeEmpty: slices.Contains(mayBeEmpty, f.Name)}
		}
	}
	cmd.Flags().VisitAll(check)
	cmd.PersistentFlags().VisitAll(check)
	for _, sub := range cmd.Commands() {
		CheckGiven(sub, mayBeEmpty...)
	}
}

// Misgiven says of a flag that was given twice, or is empty, what its name is, and none of its values, which may be
// secret; nil for other errors.
func Misgiven(err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	switch {
	case ok && errors.Is(err, errTwice):
		return WithHint(fmt.Errorf("--%s %w, want it once", invalid.GetFlag().Name, errTwice),
			`remove one of the two; a script that passes its own arguments on ("$@") can add one`)
	case ok && errors.Is(err, errEmpty):
		return fmt.Errorf("--%s %w", invalid.GetFlag().Name, errEmpty)
	}
	return nil
}

// OlderName has a flag take its values by an older name, too, which help does not list.
func OlderName(cmd *cobra.Command, name, older string) {
	f := *cmd.Flags().Lookup(name)
	f.Name, f.Hidden = older, true
	cmd.Flags().AddFlag(&f)
}

// RefuseBothNames refuses a flag that is given by both of its names.
func RefuseBothNames(cmd *cobra.Command, name, older string) error {
	if !cmd.Flags().Changed(name) || !cmd.Flags().Changed(older) {
		return nil
	}
	return WithHint(fmt.Errorf("--%s and --%s are two names of one flag, want one of them", name, older),
		fmt.Sprintf("write --%s for both; it can be repeated", name))
}
