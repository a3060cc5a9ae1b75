package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runattest/runattest/internal/visible"
)

// givenValue is the value of a flag that is given at most once, unless it is a list, and if it is a text, not as an empty
// one or as the name of a flag. pflag lets the last of several win without a word, so that arguments appended to a command line
// would replace its policy, or what it expects; an unset shell variable would leave a flag out that is there to be read, or
// have it take the next flag for its value.
type givenValue struct {
	pflag.Value
	flags                 *pflag.FlagSet
	list, set, mayBeEmpty bool
}

// givenList is that of a list.
type givenList struct {
	*givenValue
	pflag.SliceValue
}

func (v *givenValue) Set(s string) error {
	isText := strings.HasPrefix(v.Type(), "string")
	switch {
	case v.set && !v.list:
		return errTwice
	case isText && !v.mayBeEmpty && s == "":
		return errEmpty
	case isText && !v.mayBeEmpty && strings.TrimSpace(s) == "":
		return errBlank
	case isText && v.namesFlag(s):
		return errFlag
	}
	v.set = true
	want := wanted[v.Type()]
	if want == wantNumber {
		s = decimal(s)
	}
	err := v.Value.Set(s)
	if err != nil && want != "" {
		return errors.New(want)
	}
	return err
}

// decimal is a number without the zeros before it, which pflag takes for the mark of an octal one, as in the number 00000010 of a
// file. What is not decimal is empty.
func decimal(s string) string {
	digits, negative := strings.CutPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	if negative {
		return "-" + digits
	}
	return digits
}

// namesFlag tells values that are flags of the command.
func (v *givenValue) namesFlag(s string) bool {
	name, long := strings.CutPrefix(s, "--")
	name, _, _ = strings.Cut(name, "=")
	if long {
		return name == "" || v.flags.Lookup(name) != nil
	}
	return len(s) == 2 && s[0] == '-' && v.flags.ShorthandLookup(s[1:]) != nil
}

const wantNumber = "want a whole number, as 1"

// wanted is what a flag of a type takes, in place of the words of a parser.
var wanted = map[string]string{
	"bool":     "want true or false",
	"int":      wantNumber,
	"int64":    wantNumber,
	"uint":     wantNumber,
	"uint64":   wantNumber,
	"duration": "want a duration, as 30s or 5m",
}

var (
	errTwice = errors.New("is given twice")
	errEmpty = errors.New("is empty")
	errBlank = errors.New("is blank")
	errFlag  = errors.New("is a flag")
)

// CheckGiven makes it an error, in a command and all below it, to give a flag twice that is not a list, and to give an empty
// text or the name of a flag for a text, unless the flag's name is in mayBeEmpty.
func CheckGiven(cmd *cobra.Command, mayBeEmpty ...string) {
	cmd.InitDefaultHelpFlag()
	check := func(f *pflag.Flag) {
		switch f.Value.(type) {
		case *givenValue, givenList:
			return
		}
		items, list := f.Value.(pflag.SliceValue)
		given := &givenValue{Value: f.Value, flags: cmd.Flags(), list: list, mayBeEmpty: slices.Contains(mayBeEmpty, f.Name)}
		if f.Value = given; list {
			f.Value = givenList{given, items}
		}
		if f.DefValue == "[]" || f.DefValue == "0s" { // which pflag leaves out of help by its own types alone
			f.DefValue = ""
		}
	}
	cmd.Flags().VisitAll(check)
	cmd.PersistentFlags().VisitAll(check)
	for _, sub := range cmd.Commands() {
		CheckGiven(sub, mayBeEmpty...)
	}
}

// Misgiven says what is wrong with how a flag was given; nil for other errors. Of a text the value is not shown, which may be
// secret.
func Misgiven(err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return nil
	}
	name := invalid.GetFlag().Name
	switch {
	case errors.Is(err, errTwice):
		return WithHint(fmt.Errorf("--%s %w, want it once", name, errTwice),
			`remove one of the two; a script that passes its own arguments on ("$@") can add one`)
	case errors.Is(err, errEmpty), errors.Is(err, errBlank):
		return fmt.Errorf("--%s %w", name, errors.Unwrap(invalid))
	case errors.Is(err, errFlag):
		return WithHint(fmt.Errorf("--%s %q: %w, want a value", name, invalid.GetValue(), errFlag),
			"give --"+name+" a value; a file of such a name is written with ./ before it")
	}
	return fmt.Errorf("--%s %q: %w", name, visible.Cut(invalid.GetValue()), errors.Unwrap(invalid))
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
