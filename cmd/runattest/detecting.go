package main

import (
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

// named captures by the format that is the first argument.
func (f *sourceFlags) named(cmd *cobra.Command, _ *output, args []string) (iter.Seq2[files.Captured, error], error) {
	x, err := f.capturing(args[0])
	if err != nil {
		return nil, err
	}
	file := append(args, input.Stdin)[1]
	if x.Format.ReadsFolder() && file == input.Stdin {
		return nil, cli.WithHint(fmt.Errorf("%s reads a folder, and none is given", x.Format.Name()), "runattest capture --model org/name "+args[0]+" FOLDER")
	}
	return x.each(cmd.Context(), x.newRequests(cmd, []string{file}), file), nil
}

// detecting captures by the one format that a file or folder can be of.
func (f *sourceFlags) detecting(cmd *cobra.Command, o *output, args []string) (iter.Seq2[files.Captured, error], error) {
	src, err := f.source()
	if err != nil {
		return nil, err
	}
	format, text, err := files.DetectCapture(args[0], cmd.InOrStdin(), src)
	if err != nil {
		return nil, err
	}
	o.Info("note: %s: is captured as %s, the one format that it can be of", text.Name, format.Name())
	x, err := f.capturing(format.Name())
	if err != nil {
		return nil, err
	}
	if format.ReadsFolder() {
		return x.each(cmd.Context(), nil, args[0]), nil
	}
	return x.In(cmd.Context(), func(yield func(files.Text, error) bool) { yield(text, nil) }), nil
}

// undetectedHint is what to do about a source whose format is not known.
func undetectedHint(e *files.UndetectedError) string {
	switch len(e.Formats) {
	case 0:
		return "runattest capture --list prints the formats; JSON Lines need the name of theirs: runattest capture FORMAT FILE"
	case 1:
		return "if it is, runattest capture " + e.Formats[0] + " FILE"
	}
	return "name the format: runattest capture " + e.Formats[0] + " FILE; --provider, --path or --header may tell which it is"
}
