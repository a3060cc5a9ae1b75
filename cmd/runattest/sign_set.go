package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
)

// checkSet refuses what does not go with --set.
func (s *signFlags) checkSet(cmd *cobra.Command) error {
	if s.set == "" {
		if len(s.setAnnotations) > 0 {
			return errors.New("--set-annotation goes with --set")
		}
		return nil
	}
	for _, flag := range []string{"bundle", "bundle-format", "jsonl", "attach"} {
		if cmd.Flags().Changed(flag) {
			return fmt.Errorf("--%s does not go with --set, which writes one file of its own format", flag)
		}
	}
	if s.capture != "" {
		return cli.WithHint(errors.New("--capture does not go with --set"), "runattest capture writes the declarations, as JSON Lines, for sign --set FILE")
	}
	if cli.OutputName(s.set) == cli.Stdout {
		return cli.WithHint(errors.New("--set names a file, and not standard output"), "runattest sign --set sweep.runset.jsonl")
	}
	return nil
}

// signSet signs all declarations as one set. They are read twice; standard input and pipes go through temporary files.
func (b *batch) signSet(cmd *cobra.Command, paths []string) error {
	read := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return len(paths) > 1 && b.isOldSet(path) })
	if err := b.who.notOver(b.set, b.reach.reads(b.who.reads(slices.Concat(*b.artifacts, read)...))); err != nil {
		return err
	}
	annotations, err := b.parseAnnotations("--set-annotation", b.setAnnotations)
	if err != nil {
		return err
	}
	spooled, remove, err := input.SpoolAll(paths, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer remove()
	var whole atomic.Pointer[input.Files] // once all of them are read: a pass that ends early may still read
	sources := func() iter.Seq[signing.Source] {
		return func(yield func(signing.Source) bool) {
			texts := input.NewSpooledFiles(paths, nil, spooled)
			for s := range b.sources(cmd.Context(), texts, paths...) {
				if !yield(s) {
					return
				}
			}
			whole.Store(texts)
		}
	}
	var head evidence.SetHead
	err = atomicfile.WriteFunc(b.set, func(w io.Writer) (err error) {
		head, err = b.work.WriteSet(cmd.Context(), w, sources, annotations)
		return err
	}, 0o644)
	if texts := whole.Load(); texts != nil {
		b.passedOver(texts, b.note)
	}
	if b.status != exitYes {
		return b.done()
	}
	if err != nil {
		return err
	}
	root := fmt.Sprintf("%x", head.Root)
	return b.Result(map[string]any{"set": b.set, "size": head.Size, "root": root}, "%s  %d runs  %s", root, head.Size, b.set)
}

// isOldSet says that a path, which a pattern may name, is the run set that --set has written before. It is passed over.
func (b *batch) isOldSet(path string) bool {
	return overwrite.IsSameFile(b.set, path) && input.IsRunSet(path)
}
