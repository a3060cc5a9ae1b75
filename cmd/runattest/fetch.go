package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/shell"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/folder"
	"github.com/runattest/runattest/registry/listing"
)

// fetchFlags are where what is fetched goes.
type fetchFlags struct {
	out         string
	airGap      string
	root        string
	declaration bool
	types       *[]string
	reach       *registryFlags
}

func newFetch() *cobra.Command {
	cmd := newCommand("fetch")
	cmd.Args = cli.OneArg("reference")
	var f fetchFlags
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "output", "o", "", "the `PATH` of a folder, or of a file of JSON Lines (default: standard output)")
	flags.StringVar(&f.airGap, "air-gap", "", "a `FOLDER` for everything that an offline verifier needs")
	flags.StringVar(&f.root, "trusted-root", "", "with --air-gap: the Sigstore TrustedRoot `FILE` to put there")
	flags.BoolVar(&f.declaration, "declaration", false, "write the declaration of the run alone, in canonical form")
	f.types = predicateTypesFlag(cmd)
	f.reach = newRegistryFlags(cmd)
	formatFlag(cmd)
	_ = cmd.MarkFlagFilename("trusted-root", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.root != "" && f.airGap == "" {
			return errors.New("--trusted-root goes with --air-gap")
		}
		f.out = cli.OutputName(f.out)
		if f.airGap != "" && (f.out != "" || f.declaration) {
			return errors.New("--air-gap goes with neither --output nor --declaration: it writes a folder with everything")
		}
		if err := f.checkPlaces(); err != nil {
			return err
		}
		inputs := []string{f.reach.ca, f.root}
		if ref, err := registry.ParseReference(args[0]); err == nil && ref.IsLayout() {
			inputs = append(inputs, ref.Located().Path())
		}
		if err := errors.Join(overwrite.CheckInputs(f.out, inputs...), overwrite.CheckInputs(f.airGap, inputs...)); err != nil {
			return err
		}
		return f.fetch(cmd, newOutput(cmd), args[0])
	}
	return cmd
}

// checkPlaces finds, before anything is fetched, that it has no place.
func (f *fetchFlags) checkPlaces() error {
	if err := folder.CheckFolder(f.airGap); err != nil {
		return fmt.Errorf("--air-gap %w", err)
	}
	if f.out == "" || f.out == input.Stdin || f.declaration {
		return overwrite.CheckTarget(f.out)
	}
	err := folder.CheckPath(f.out)
	if errors.Is(err, folder.ErrDocument) {
		return cli.WithHint(err, "name the file .sigstore.jsonl, or a folder")
	}
	return err
}

// fetched is what one call fetches, one bundle after the other.
type fetched struct {
	*output
	*folder.Fetch
	moving *terminal.Transfer
}

func (f *fetchFlags) fetch(cmd *cobra.Command, o *output, ref string) error {
	moving := o.transfer(cmd.Context(), "attestations fetched")
	defer moving.End()
	target, artifact, err := f.reach.resolve(o, ref, moving)
	if err != nil {
		return err
	}
	h := &fetched{o, &folder.Fetch{Target: target, Artifact: artifact, Types: listing.LongTypes(*f.types)}, moving}
	h.Skipped = func(err error) { moving.Say(func() { o.note("", err) }) }
	h.Wrote = func(found *registry.Found, path string) (err error) {
		moving.Say(func() { err = h.Result(listing.NewFetched(artifact, found, path), "%s", path) })
		return err
	}
	read := f.reach.reads(new(overwrite.Files))
	if err := errors.Join(read.Check(f.out), read.Check(f.airGap)); err != nil {
		return err
	}
	if f.declaration {
		return f.writeDeclaration(cmd.Context(), h)
	}
	err = f.write(cmd.Context(), h)
	moving.End()
	o.sayLeftOut(h.Listing())
	if errors.Is(err, folder.ErrNothing) {
		o.note(artifact.Reference.String(), err)
		o.sayPlatforms(cmd.Context(), target, artifact)
		err = nil
	}
	if err != nil {
		return err
	}
	return o.done()
}

func (f *fetchFlags) writeDeclaration(ctx context.Context, h *fetched) error {
	run, err := h.Declaration(ctx)
	h.moving.End()
	switch {
	case err != nil:
		return err
	case run == nil:
		return fmt.Errorf("%s is not a run, and has no declaration", h.Artifact.Reference)
	case f.out == "" || f.out == input.Stdin:
		return h.WriteRaw(run.Canonical())
	}
	return atomicfile.Write(f.out, run.Canonical(), 0o644)
}

func (f *fetchFlags) write(ctx context.Context, h *fetched) error {
	switch {
	case f.airGap != "":
		return f.writeAirGap(ctx, h)
	case f.out == "" || f.out == input.Stdin:
		return h.Lines(ctx, func(line []byte) (err error) {
			h.moving.Say(func() { err = h.WriteRaw(line) })
			return err
		})
	case !folder.IsLines(f.out):
		return h.Files(ctx, f.out)
	case h.JSON:
		return h.LinesFile(ctx, f.out)
	}
	h.Wrote = nil // the file is said once
	if err := h.LinesFile(ctx, f.out); err != nil {
		return err
	}
	h.moving.End()
	return h.Line("%s", f.out)
}

// writeAirGap writes everything that a verifier without a network needs into one folder.
func (f *fetchFlags) writeAirGap(ctx context.Context, h *fetched) error {
	root, err := f.readRoot()
	if err != nil {
		return err
	}
	mirror, mirrored, err := h.Mirror(ctx, f.airGap, root)
	if errors.Is(err, registry.ErrReference) {
		return cli.WithHint(fmt.Errorf("--air-gap: %w", err), "name a folder without a colon and @: verify takes it as oci-layout://FOLDER")
	}
	if err != nil {
		return err
	}
	h.moving.End()
	trust := "--trusted-root " + shell.Path(pathname.In(f.airGap, folder.TrustedRoot)) + " ..."
	if root == nil {
		h.Info("note: without --trusted-root the folder serves those who verify with a key")
		trust = "--key KEY"
	}
	if len(h.Listing().Unread()) > 0 {
		h.Info("note: what cannot be read is listed there without content: a decision by it is refused there, too")
	}
	for name, id := range mirror.Missing() {
		h.Info("note: %s is detached, and the declaration %s is not here: bring it too", name, id)
	}
	if mirrored.Displaced != "" {
		h.Info("note: the tag names this artifact in the folder now, and not %s, which was there before under the same tag: name them by digest", mirrored.Displaced)
	}
	h.Info("there: runattest verify %s %s", trust, mirrored.Reference)
	return nil
}

// readRoot reads the trusted root that goes into the folder, if it is one; nil where none is given.
func (f *fetchFlags) readRoot() ([]byte, error) {
	if f.root == "" {
		return nil, nil
	}
	data, err := boundedfile.Read(f.root, limits.TrustedRoot)
	if err != nil {
		return nil, err
	}
	if _, err := parseTrustedRoot(f.root, data); err != nil {
		return nil, err
	}
	return data, nil
}
