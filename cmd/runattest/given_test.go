package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runattest/runattest/internal/cli"
)

// TestGivenOnce gives every flag of every command twice, in each way that it can be written.
func TestGivenOnce(t *testing.T) {
	tree := newRoot()
	tree.InitDefaultHelpCmd()
	tree.InitDefaultCompletionCmd()
	tried, lists := 0, 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		path := strings.Fields(cmd.CommandPath())[1:]
		each := func(f *pflag.Flag) {
			ways := waysToGive(f)
			for _, first := range ways {
				for _, second := range ways {
					args := slices.Concat(path, first, second)
					if repeatable(f) {
						lists++
						if _, err := parse(args); err != nil && strings.Contains(err.Error(), "given twice") {
							t.Errorf("%q: %v", args, err)
						}
						continue
					}
					tried++
					var stdout, stderr bytes.Buffer
					root := newRoot(args...)
					root.SetOut(&stdout)
					root.SetErr(&stderr)
					root.SetIn(strings.NewReader(""))
					if got := run(context.Background(), root, args); got != exitMalformed || stdout.Len() > 0 ||
						!strings.HasPrefix(stderr.String(), "runattest: --"+f.Name+" is given twice, want it once\nhint: ") {
						t.Errorf("%q: exit status %d, %s%s", args, got, stdout.Bytes(), stderr.Bytes())
					}
				}
			}
		}
		cmd.Flags().VisitAll(each)
		cmd.PersistentFlags().VisitAll(each)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(tree)
	if tried < 200 || lists < 20 {
		t.Errorf("%d pairs of flags tried, %d of lists", tried, lists)
	}
}

// repeatable goes by the help, which the mechanism does not read.
func repeatable(f *pflag.Flag) bool {
	return strings.Contains(f.Usage, "(repeatable")
}

// waysToGive are the command lines that give a flag a value that it takes.
func waysToGive(f *pflag.Flag) [][]string {
	value := "x"
	switch kind := f.Value.Type(); {
	case kind == "bool":
		value = "true"
	case strings.Contains(kind, "int"):
		value = "1"
	case kind == "duration":
		value = "1s"
	case strings.Contains(kind, "|"):
		value, _, _ = strings.Cut(kind, "|")
	}
	ways := [][]string{{"--" + f.Name + "=" + value}}
	if f.NoOptDefVal != "" {
		ways = append(ways, []string{"--" + f.Name})
	} else {
		ways = append(ways, []string{"--" + f.Name, value})
	}
	if f.Shorthand != "" {
		ways = append(ways, []string{"-" + f.Shorthand + "=" + value})
		if f.NoOptDefVal != "" {
			ways = append(ways, []string{"-" + f.Shorthand})
		} else {
			ways = append(ways, []string{"-" + f.Shorthand, value}, []string{"-" + f.Shorthand + value})
		}
	}
	return ways
}

// parse parses a command line and does not run it.
func parse(args []string) (*cobra.Command, error) {
	root := newRoot(args...)
	cli.CheckGiven(root, takeEmpty...)
	cmd, rest, err := root.Find(args)
	if err != nil {
		return nil, err
	}
	return cmd, cmd.ParseFlags(rest)
}

// TestGivenEmpty gives every text that is not a list as an empty one, as an unset shell variable does.
func TestGivenEmpty(t *testing.T) {
	tried := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.HasPrefix(f.Value.Type(), "string") || slices.Contains(takeEmpty, f.Name) {
				return
			}
			tried++
			for value, what := range map[string]string{"": " is empty\n", " \t": " is blank\n", "--help": ` "--help": is a flag, want a value` + "\n", "--": ` "--": is a flag, want a value` + "\n"} {
				args := append(slices.Clone(path), "--"+f.Name, value)
				status, stdout, stderr := called(args...)
				if want := "runattest: --" + f.Name + what; status != exitMalformed || stdout != "" || !strings.HasPrefix(stderr, want) {
					t.Errorf("%q: exit status %d, %s%s, want %s", args, status, stdout, stderr, want)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	if tried < 50 {
		t.Errorf("%d flags tried", tried)
	}
}

// TestGivenNumbers gives every number with zeros before it, as files and receipts have it, which is decimal; and in the forms of
// other bases, which are refused.
func TestGivenNumbers(t *testing.T) {
	tried := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(f.Value.Type(), "int") {
				return
			}
			tried++
			for text, want := range map[string]string{"00000010": "10", "00000008": "8", "000": "0", "7": "7"} {
				parsed, err := parse(append(slices.Clone(path), "--"+f.Name, text))
				if err != nil {
					t.Errorf("%s --%s %s: %v", cmd.CommandPath(), f.Name, text, err)
				} else if got := parsed.Flags().Lookup(f.Name).Value.String(); got != want {
					t.Errorf("%s --%s %s is %s, want %s", cmd.CommandPath(), f.Name, text, got, want)
				}
			}
			for _, text := range []string{"0x10", "0b1", "0o7", "1_0", "+1", "", "-", "--1", "1.0", " 1", "18446744073709551616"} {
				if _, err := parse(append(slices.Clone(path), "--"+f.Name+"="+text)); err == nil {
					t.Errorf("%s --%s=%s: taken", cmd.CommandPath(), f.Name, text)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	if tried < 4 {
		t.Errorf("%d numbers, want those of verify, gateway, journal and set", tried)
	}
}

// TestHelpDefaults holds that help, and the page made of it, name no default where a flag has none.
func TestHelpDefaults(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())
		_, help, _ := called(append(slices.Clone(path[1:]), "--help")...)
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli", strings.Join(path, "_")+".md"))
		if err != nil || help == "" {
			t.Errorf("%s: no help, or %v", cmd.CommandPath(), err)
		}
		for line := range strings.Lines(help + string(page)) {
			if strings.Contains(line, "(default )") || strings.Contains(line, "(default [])") || strings.Contains(line, "(default 0s)") {
				t.Errorf("%s: %s", cmd.CommandPath(), strings.TrimSpace(line))
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}
