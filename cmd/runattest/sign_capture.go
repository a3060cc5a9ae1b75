package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

// prepareCapture reads the flags about what is captured.
func (b *batch) prepareCapture() error {
	switch {
	case b.capture == "" && b.withSource:
		return errors.New("--with-source goes with --capture")
	case b.capture == "":
		return b.source.without("capture")
	case b.withSource && b.detached:
		return cli.WithHint(errors.New("--with-source does not go with --detached: the digest lets be guessed what is left out"), "leave one of the two out")
	}
	x, err := b.source.capturing(b.capture)
	if err != nil {
		return fmt.Errorf("--capture: %w", err)
	}
	if b.lines && *b.source.folder != "" {
		return cli.WithHint(errors.New("--jsonl reads requests, and --folder names files beside one"), "runattest sign without --jsonl reads the folder")
	}
	if b.lines && x.Format.ReadsFolder() {
		return fmt.Errorf("--jsonl reads requests, and %s reads a folder", x.Format.Name())
	}
	b.capturing = x
	return nil
}

// files reads what is to be signed.
func (b *batch) files(cmd *cobra.Command, paths []string) *input.Files {
	if b.capturing != nil {
		return b.capturing.newRequests(cmd, paths)
	}
	return input.NewFiles(paths, cmd.InOrStdin())
}

// capturedOptions adds to the options what a capture says beside the declaration.
func (b *batch) capturedOptions(c files.Captured) (attest.StatementOptions, error) {
	options, err := c.Options(b.options, b.withSource)
	if twice, ok := errors.AsType[*files.AnnotationError](err); ok {
		return options, fmt.Errorf("--annotation %s: --capture sets the annotation of that name", twice.Name)
	}
	if err != nil {
		return options, fmt.Errorf("--with-source: %w", err)
	}
	return options, nil
}

// outsideFolders refuses a bundle in a folder that is captured: it would replace a file of the run, or be taken for one the next time.
func (b *batch) outsideFolders(target string, paths []string) error {
	if b.capturing == nil {
		return nil
	}
	if f := b.capturing.FolderOf(target, paths...); f != "" {
		return cli.WithHint(fmt.Errorf("is in %s, which is captured, and would be a part of the run", f), "name a file outside the folder with --bundle")
	}
	return nil
}
