package main

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

// isFormat tells arguments of capture of which the first is a format: a file alone may stand in its place.
func isFormat(args []string) bool {
	if len(args) != 1 {
		return true
	}
	if _, err := capture.Lookup(args[0]); err == nil {
		return true
	}
	_, err := os.Stat(args[0])
	return err != nil && !isStdin(args[0])
}

// named captures by the format that is the first argument.
func (f *sourceFlags) named(cmd *cobra.Command, _ *output, args []string) (iter.Seq2[captured, error], error) {
	x, err := f.capturing(args[0])
	if err != nil {
		return nil, err
	}
	file := append(args, input.Stdin)[1]
	if x.format.ReadsFolder() && file == input.Stdin {
		return nil, cli.WithHint(fmt.Errorf("%s reads a folder, and none is given", x.format.Name()), "runattest capture --model org/name "+args[0]+" FOLDER")
	}
	return x.each(cmd.Context(), x.newRequests(cmd, []string{file}), file), nil
}

// detecting captures by the one format that a file or folder can be of.
func (f *sourceFlags) detecting(cmd *cobra.Command, o *output, args []string) (iter.Seq2[captured, error], error) {
	file := args[0]
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		format, err := detectFolder(file)
		if err != nil {
			return nil, err
		}
		x, err := f.detected(o, file, format)
		if err != nil {
			return nil, err
		}
		return x.each(cmd.Context(), nil, file), nil
	}
	for t, err := range input.Whole(file, cmd.InOrStdin()) { // one
		if err != nil {
			return nil, err
		}
		src, err := f.source()
		if err != nil {
			return nil, err
		}
		src.Body = t.Data
		formats, sure := capture.Detect(src)
		if !sure {
			return nil, undetected(t.Name, formats)
		}
		x, err := f.detected(o, t.Name, formats[0])
		if err != nil {
			return nil, err
		}
		return x.text(cmd.Context(), t), nil
	}
	return nil, errors.New("no file")
}

func (f *sourceFlags) detected(o *output, name string, format capture.Format) (*capturing, error) {
	o.Info("note: %s: is captured as %s, the one format that it can be of", name, format.Name())
	return f.capturing(format.Name())
}

func detectFolder(dir string) (capture.Format, error) {
	fsys, closeFolder, err := input.Folder(dir)
	if err != nil {
		return capture.Format{}, err
	}
	defer closeFolder()
	formats, err := capture.DetectFolder(fsys)
	if err == nil && len(formats) != 1 {
		err = undetected(dir, formats)
	}
	if err != nil {
		return capture.Format{}, err
	}
	return formats[0], nil
}

// undetected is the error of a source that is not of one format alone.
func undetected(name string, formats []capture.Format) error {
	var names []string
	for _, f := range formats {
		names = append(names, f.Name())
	}
	switch len(names) {
	case 0:
		return cli.WithHint(fmt.Errorf("%s: is of no capture format that is known", name), "runattest capture --list prints the formats; JSON Lines need the name of theirs: runattest capture FORMAT FILE")
	case 1:
		return cli.WithHint(fmt.Errorf("%s: may be of the format %s, which does not know all of it", name, names[0]), "if it is, runattest capture "+names[0]+" FILE")
	}
	return cli.WithHint(fmt.Errorf("%s: may be of the formats %s", name, strings.Join(names, ", ")),
		"name the format: runattest capture "+names[0]+" FILE; --provider, --path or --header may tell which it is")
}
