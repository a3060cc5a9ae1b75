package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/recapture"
	"github.com/runattest/runattest/internal/cli"
)

// captureCheckFlags are those of a command that recomputes declarations from their source.
type captureCheckFlags struct {
	cmd          *cobra.Command
	format, file *string
	source       *sourceFlags
}

func newCaptureCheckFlags(cmd *cobra.Command) *captureCheckFlags {
	f := &captureCheckFlags{cmd: cmd}
	f.file = cmd.Flags().String("source", "", "the request's `FILE`, or the model's folder, that must have become the declaration")
	f.format = cmd.Flags().String("capture", "", "with --source: the `FORMAT` that makes its declaration, such as openai-chat/1 (default: what the bundle says)")
	_ = cmd.RegisterFlagCompletionFunc("capture", completeFormats)
	f.source = newSourceFlags(cmd)
	return f
}

// load reads the source; nil if none is given.
func (f *captureCheckFlags) load() (*recapture.Source, error) {
	switch {
	case *f.file == "" && *f.format != "":
		return nil, errors.New("--capture goes with --source")
	case *f.file == "":
		return nil, f.source.without("source")
	case f.cmd.Flags().Changed("declaration"):
		return nil, cli.WithHint(errors.New("--source and --declaration both say what is declared"), "leave one of the two out")
	}
	s := &recapture.Source{Path: *f.file, Folder: *f.source.folder, Fits: f.source.fits, Open: f.source.open}
	var err error
	if *f.format != "" {
		if s.Format, err = lookupFormat(*f.format); err != nil {
			return nil, fmt.Errorf("--capture: %w", err)
		}
		if err := s.Fits(s.Format); err != nil {
			return nil, err
		}
	}
	if s.Source, err = f.source.source(); err != nil {
		return nil, err
	}
	isFolder, err := s.Read(f.cmd.InOrStdin())
	if err == nil && !isFolder && *f.source.fromCache {
		err = cli.WithHint(fmt.Errorf("--from-cache-path: --source %s is a file, want a folder of Hugging Face's cache", s.Path), "leave out --from-cache-path")
	}
	if err != nil || !isFolder {
		return s, err
	}
	return s, f.source.cachePath(&s.Source, s.Path)
}
