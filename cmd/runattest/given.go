package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// onceValue is the value of a flag that is given at most once. pflag lets the last of several win without a word,
// so that arguments appended to a command line would replace its policy, or what it expects.
type onceValue struct {
	pflag.Value
	set bool
}

func (v *onceValue) Set(s string) error {
	if v.set {
		return errTwice
	}
	v.set = true
	return v.Value.Set(s)
}

var errTwice = errors.New("is given twice")

// flagsOnce makes it an error, in a command and all below it, to give a flag twice that is not a list.
func flagsOnce(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	once := func(f *pflag.Flag) {
		_, list := f.Value.(pflag.SliceValue)
		if _, done := f.Value.(*onceValue); !list && !done {
			f.Value = &onceValue{Value: f.Value}
		}
	}
	cmd.Flags().VisitAll(once)
	cmd.PersistentFlags().VisitAll(once)
	for _, sub := range cmd.Commands() {
		flagsOnce(sub)
	}
}

// namedTwice names the flag that was given twice, and none of its values, which may be secret.
func namedTwice(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.Is(err, errTwice) || !errors.As(err, &invalid) {
		return nil
	}
	return withHint(fmt.Errorf("--%s %w, want it once", invalid.GetFlag().Name, errTwice),
		`remove one of the two; a script that passes its own arguments on ("$@") can add one`)
}

// olderName has a flag take its values by an older name, too, which help does not list.
func olderName(cmd *cobra.Command, name, older string) {
	f := *cmd.Flags().Lookup(name)
	f.Name, f.Hidden = older, true
	cmd.Flags().AddFlag(&f)
}

// refuseBothNames refuses a flag that is given by both of its names.
func refuseBothNames(cmd *cobra.Command, name, older string) error {
	if !cmd.Flags().Changed(name) || !cmd.Flags().Changed(older) {
		return nil
	}
	return &usageError{withHint(fmt.Errorf("--%s and --%s are two names of one flag, want one of them", name, older),
		fmt.Sprintf("write --%s for both; it can be repeated", name))}
}
