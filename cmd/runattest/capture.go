package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/internal/cli"
)

func newCapture() *cobra.Command {
	cmd := newCommand("capture")
	cmd.ValidArgsFunction = completeCapture
	source := newSourceFlags(cmd)
	explain := cmd.Flags().Bool("explain", false, "print where each member of the request goes, instead of the declaration")
	list := cmd.Flags().Bool("list", false, "print the formats")
	format := cli.WordFlag(cmd, "format", "how the declaration is written: one line of JSON, or YAML", "json", "yaml")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case *list:
			return cli.NoArgs("--list goes alone")(cmd, args)
		case len(args) == 0:
			return cli.WithHint(errors.New("no format and no file given"), "runattest capture --list prints the formats")
		case len(args) > 2:
			return cli.WithHint(fmt.Errorf("want one format and one file, and got %d arguments", len(args)), "usage: "+cmd.UseLine())
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		o.JSON = false
		if err := cli.Exclusive(cmd, "explain", "list"); err != nil {
			return err
		}
		if *list {
			return listFormats(o)
		}
		each := source.detecting
		if len(args) == 2 || files.NamesFormat(args[0]) {
			each = source.named
		}
		captures, err := each(cmd, o, args)
		if err != nil {
			return err
		}
		written := 0
		for c, err := range captures {
			switch {
			case err != nil:
			case *explain:
				err = explainCaptured(o, c)
			default:
				err = printCaptured(o, c, format.String() == "yaml", written > 0)
				written++
			}
			if err != nil {
				o.note(c.Name, err)
			}
		}
		return o.done()
	}
	return cmd
}

func listFormats(o *output) error {
	for _, f := range capture.Formats() {
		if err := o.Line("%-26s %s", f.Name(), f.Title()); err != nil {
			return err
		}
	}
	return nil
}

func explainCaptured(o *output, c files.Captured) error {
	if c.CustomID != "" {
		if err := o.Line("%-32s %-12s %s", "custom_id", capture.LeftOut, c.CustomID); err != nil {
			return err
		}
	}
	for _, f := range c.Fates {
		if err := o.Line("%-32s %-12s %s", f.Pointer, f.Outcome, f.To+f.Detail); err != nil {
			return err
		}
	}
	return nil
}

// printCaptured prints a declaration. One in YAML that follows another is a document of its own.
func printCaptured(o *output, c files.Captured, yaml, follows bool) error {
	if c.CustomID != "" {
		o.Info("note: %s: %s is the request with the custom_id %q", c.Name, c.Declaration.ID(), c.CustomID)
	}
	noteCaptured(o, c.Name, c.Captured)
	text := append(c.Declaration.Canonical(), '\n')
	switch {
	case yaml && follows:
		text = append([]byte("---\n"), c.Declaration.YAML()...)
	case yaml:
		text = c.Declaration.YAML()
	}
	return o.WriteRaw(text)
}

func completeCapture(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	names, _ := completeFormats(cmd, args, typed)
	return names, cobra.ShellCompDirectiveDefault // or a file, whose format is detected
}
