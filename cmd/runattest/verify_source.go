package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
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
func (f *captureCheckFlags) load() (*sourceCheck, error) {
	switch {
	case *f.file == "" && *f.format != "":
		return nil, errors.New("--capture goes with --source")
	case *f.file == "":
		return nil, f.source.without("source")
	case f.cmd.Flags().Changed("declaration"):
		return nil, cli.WithHint(errors.New("--source and --declaration both say what is declared"), "leave one of the two out")
	}
	s := &sourceCheck{file: *f.file, folder: *f.source.folder, flags: f.source}
	var err error
	if *f.format != "" {
		if s.format, err = lookupFormat(*f.format); err != nil {
			return nil, fmt.Errorf("--capture: %w", err)
		}
		if err := s.flags.fits(s.format); err != nil {
			return nil, err
		}
	}
	if s.source, err = f.source.source(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(s.file); err != nil || !info.IsDir() {
		if err == nil && *f.source.fromCache {
			return nil, cli.WithHint(fmt.Errorf("--from-cache-path: --source %s is a file, want a folder of Hugging Face's cache", s.file), "leave out --from-cache-path")
		}
		for t, err := range input.Whole(s.file, f.cmd.InOrStdin()) { // one
			s.source.Body = t.Data
			return s, err
		}
	}
	return s, f.source.cachePath(&s.source, s.file)
}

// sourceCheck holds declarations against one source.
type sourceCheck struct {
	format capture.Format // none: what the bundle says
	source capture.Source
	file   string
	folder string // or beside the file
	flags  *sourceFlags
}

// check captures the source again for a bundle, and says whether the declaration is that. declared is what the source declares;
// nil where the bundle states no run.
func (s *sourceCheck) check(ctx context.Context, b *attest.Bundle) (declared *identity.Declaration, c evidence.Check, err error) {
	claim, err := b.UnverifiedStatement()
	if err != nil {
		return nil, evidence.Skipped(evidence.CheckSource, evidence.CodeNotReached, "without a statement there is no declaration to hold the source against"), nil
	}
	format, by := s.format, ""
	if format == (capture.Format{}) {
		if format, err = claimedFormat(claim.Annotations); err != nil {
			return nil, c, err
		}
		if err := s.flags.fits(format); err != nil {
			return nil, c, err
		}
		by = ", the table that the signer claims"
	}
	d, _ := identity.Parse(claim.Declaration) // why it cannot be read the other checks say
	r, err := s.recompute(ctx, format, d)
	if err != nil {
		return nil, c, fmt.Errorf("--source %s: %w", s.file, locate(s.source.Body, err))
	}
	by = format.Name() + by
	switch {
	case r.Declaration.ID() == claim.Identity:
		c = evidence.Passed(evidence.CheckSource, "it declares the run by %s", by)
	case r.Difference == "/":
		c = evidence.Failed(evidence.CheckSource, evidence.CodeSourceDiffers, "it declares %s by %s", r.Declaration.ID(), by).WithHint(hintBesideBody)
	default:
		c = evidence.Failed(evidence.CheckSource, evidence.CodeSourceDiffers, "it declares another run by %s: %s differs", by, r.Difference)
	}
	if len(r.Taken) > 0 {
		c.Details = append(c.Details, "taken from the declaration, and not from the source: "+strings.Join(r.Taken, ", "))
	}
	if len(r.Unread) > 0 {
		c.Details = append(c.Details, fmt.Sprintf("given, and not held against the declaration, since %s does not read it: header %s", format.Name(), strings.Join(r.Unread, ", ")))
	}
	return r.Declaration, c, nil
}

const hintBesideBody = "the declaration is not in the bundle: give all that the request had beside its body, with --provider, --path, --header, --parent"

func (s *sourceCheck) recompute(ctx context.Context, format capture.Format, d *identity.Declaration) (*capture.Recomputed, error) {
	folder := s.folder
	switch {
	case format.ReadsFolder():
		folder = s.file
	case s.source.Body == nil:
		return nil, fmt.Errorf("is a folder, and %s reads a file", format.Name())
	case folder == "":
		return format.Recompute(s.source, d)
	}
	fsys, closeFolder, err := s.flags.open(folder)
	if err != nil {
		return nil, err
	}
	defer closeFolder()
	return format.RecomputeFolder(ctx, fsys, s.source, d)
}

// claimedFormat is the table by which a signer says that the declaration was captured.
func claimedFormat(annotations map[string]string) (capture.Format, error) {
	const hint = "name the format with --capture FORMAT/N; runattest capture --list prints the formats"
	name, ok := annotations[capture.Annotation]
	if !ok {
		return capture.Format{}, cli.WithHint(errors.New("does not say how it was captured: it has no annotation capture"), hint)
	}
	f, err := capture.Lookup(name)
	if err != nil || f.Name() != name {
		return capture.Format{}, cli.WithHint(fmt.Errorf("its annotation capture names %q, which is not a format of this version", name), hint)
	}
	return f, nil
}
