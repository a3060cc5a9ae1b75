package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// SecretError says that an argument holds a secret. It does not show it.
type SecretError struct {
	Index int    // of the argument, from 1
	What  string // it holds
}

func (e *SecretError) Error() string {
	return fmt.Sprintf("argument %d is or holds %s, which other users of this machine can see", e.Index, e.What)
}

// CheckArguments refuses, before anything reads or prints them, arguments that hold a secret, as --reason "$(cat k.key)"
// has it: they would be shown in a message, or signed and published. secretIn says which one a text holds, or "". Behind --
// they are another program's, or files. It also refuses dashes that an editor has made of two hyphens.
func CheckArguments(args []string, secretIn func([]byte) string) error {
	if at := slices.Index(args, "--"); at >= 0 {
		args = args[:at]
	}
	for i, arg := range args {
		_, value, _ := strings.Cut(arg, "=")
		what := secretIn([]byte(arg))
		if what == "" && value != "" {
			what = secretIn([]byte(value))
		}
		if what != "" {
			return &SecretError{i + 1, what}
		}
		if strings.HasPrefix(arg, "\u2013") || strings.HasPrefix(arg, "\u2014") {
			if _, err := os.Lstat(arg); err != nil {
				return WithHint(fmt.Errorf("%s: begins with a dash, want hyphens", arg), "write --"+strings.TrimLeft(arg, "\u2013\u2014-"))
			}
		}
	}
	return nil
}

// isStdin tells the names of standard input.
func isStdin(name string) bool {
	switch name {
	case Stdout, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0":
		return true
	}
	return false
}

// StdinOnce refuses to read standard input twice, since the second time nothing is in it: as an argument, or as the value of
// one of the flags that are given and read what they name.
func StdinOnce(cmd *cobra.Command, args []string, readers ...string) error {
	var by []string
	for _, arg := range args {
		if isStdin(arg) {
			by = append(by, "an argument")
		}
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(readers, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			if isStdin(value) {
				by = append(by, "--"+f.Name)
			}
		}
	})
	if len(by) < 2 {
		return nil
	}
	return WithHint(fmt.Errorf("standard input (-) is named %d times: by %s; want it once", len(by), strings.Join(by, ", ")), "put one of them into a file")
}

// Exclusive refuses flags that do not go together.
func Exclusive(cmd *cobra.Command, names ...string) error {
	var given []string
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) < 2 {
		return nil
	}
	return errors.New(strings.Join(given, " and ") + ": want one of them")
}
