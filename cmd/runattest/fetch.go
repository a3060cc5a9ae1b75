package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
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
			inputs = append(inputs, ref.Path())
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
	switch isFile := func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && !info.IsDir()
	}; {
	case f.airGap != "" && isFile(f.airGap):
		return fmt.Errorf("--air-gap %s: is a file, want a folder", f.airGap)
	case f.out == "" || f.out == input.Stdin || f.declaration:
		return overwrite.CheckTarget(f.out)
	case strings.HasSuffix(f.out, ".json"):
		return cli.WithHint(fmt.Errorf("%s: what is fetched are JSON Lines, and a .json file is one document", f.out), "name the file .sigstore.jsonl, or a folder")
	case strings.HasSuffix(f.out, ".jsonl") || strings.HasSuffix(f.out, ".ndjson"):
		return overwrite.CheckTarget(f.out)
	case isFile(f.out):
		return fmt.Errorf("%s: is a file, want a folder, or the name of a new file that ends in .jsonl", f.out)
	}
	return nil
}

// fetched is what one call fetches, one bundle after the other.
type fetched struct {
	*output
	moving   *terminal.Transfer
	artifact *registry.Artifact
	target   *registry.Target
	run      *identity.Declaration // that the artifact is; nil for none
	listing  *registry.Listing
	found    iter.Seq2[*registry.Found, error]
	count    int
}

func (f *fetchFlags) fetch(cmd *cobra.Command, o *output, ref string) error {
	moving := o.transfer(cmd.Context(), "attestations fetched")
	defer moving.End()
	h := &fetched{output: o, moving: moving}
	var err error
	if h.target, h.artifact, err = f.reach.resolve(o, ref, moving); err != nil {
		return err
	}
	if !h.artifact.Run().IsZero() {
		if h.run, err = h.target.Declaration(cmd.Context(), h.artifact); err != nil {
			return err
		}
	}
	if f.declaration {
		moving.End()
		return f.writeDeclaration(o, h)
	}
	types := listing.LongTypes(*f.types)
	list := h.target.ListAll // what is fetched may be all that a decision sees, and is not to lack a rejection
	if f.airGap != "" {
		list = h.target.ListForMirror
	}
	found, err := list(cmd.Context(), h.artifact, types...)
	if err != nil {
		return err
	}
	h.listing, h.found = found, found.Bundles(cmd.Context())
	err = f.write(cmd.Context(), h)
	moving.End()
	o.sayLeftOut(found)
	if errors.Is(err, errNothing) {
		o.note(h.artifact.Reference.String(), err)
		o.sayPlatforms(cmd.Context(), h.target, h.artifact)
		err = nil
	}
	if err != nil {
		return err
	}
	return o.done()
}

// each notes what cannot be fetched, and ends with errNothing if there was nothing at all, or with what kept the rest away.
func (h *fetched) each(take func(*registry.Found) error) error {
	for found, err := range h.found {
		if err != nil && !registry.IsOfOne(err) {
			return err
		}
		if err != nil {
			h.moving.Say(func() { h.note("", err) })
			continue
		}
		h.count++
		if err := take(found); err != nil {
			return err
		}
	}
	if h.count == 0 && h.run == nil {
		return errNothing
	}
	return nil
}

func (f *fetchFlags) writeDeclaration(o *output, h *fetched) error {
	if h.run == nil {
		return fmt.Errorf("%s is not a run, and has no declaration", h.artifact.Reference)
	}
	if f.out == "" || f.out == input.Stdin {
		return o.WriteRaw(h.run.Canonical())
	}
	return atomicfile.Write(f.out, h.run.Canonical(), 0o644)
}

func (f *fetchFlags) write(ctx context.Context, h *fetched) error {
	switch {
	case f.airGap != "":
		return f.writeAirGap(ctx, h)
	case f.out == "" || f.out == input.Stdin:
		return h.each(func(found *registry.Found) (err error) {
			h.moving.Say(func() { err = h.WriteRaw(folder.Line(found)) })
			return err
		})
	case strings.HasSuffix(f.out, ".jsonl") || strings.HasSuffix(f.out, ".ndjson"):
		return h.writeLines(f.out)
	}
	to := folder.New(f.out)
	if h.run != nil {
		if err := to.WriteDeclaration(h.run); err != nil {
			return err
		}
	}
	return h.each(func(found *registry.Found) error {
		path, err := to.WriteBundle(found)
		return h.wrote(found, path, err)
	})
}

// errNothing is the answer no: the artifact is there, and nothing that was asked for about it.
var errNothing = &noAttestationError{}

type noAttestationError struct{}

func (*noAttestationError) Error() string { return "has no such attestation" }

// writeLines writes one file, and says so when it is there.
func (h *fetched) writeLines(path string) error {
	var all []fetchedReport
	err := atomicfile.WriteFunc(path, func(w io.Writer) error {
		return h.each(func(found *registry.Found) error {
			all = append(all, h.report(found, path))
			_, err := w.Write(folder.Line(found))
			return err
		})
	}, 0o644)
	if err != nil {
		return err
	}
	h.moving.End()
	if !h.JSON {
		return h.Line("%s", path)
	}
	for _, r := range all {
		if err := h.Object(r); err != nil {
			return err
		}
	}
	return nil
}

// wrote says which file a bundle is in.
func (h *fetched) wrote(found *registry.Found, path string, err error) error {
	if err != nil {
		return err
	}
	h.moving.Say(func() { err = h.Result(h.report(found, path), "%s", path) })
	return err
}

// writeAirGap writes everything that a verifier without a network needs into one folder.
func (f *fetchFlags) writeAirGap(ctx context.Context, h *fetched) error {
	root, err := f.readRoot()
	if err != nil {
		return err
	}
	to, trust := folder.New(f.airGap), "--key KEY"
	mirror, err := folder.NewMirror(to, h.target, h.artifact)
	if errors.Is(err, registry.ErrReference) {
		return cli.WithHint(fmt.Errorf("--air-gap: %w", err), "name a folder without a colon and @: verify takes it as oci-layout://FOLDER")
	}
	if err != nil {
		return err
	}
	if root == nil {
		h.moving.Say(func() { h.Info("note: without --trusted-root the folder serves those who verify with a key") })
	} else {
		path, err := to.WriteTrustedRoot(root)
		if err != nil {
			return err
		}
		trust = "--trusted-root " + path + " ..."
	}
	if h.run != nil {
		if err := to.WriteDeclaration(h.run); err != nil {
			return err
		}
	}
	err = h.each(func(found *registry.Found) error {
		path, err := mirror.Add(ctx, found)
		return h.wrote(found, path, err)
	})
	if err != nil && !errors.Is(err, errNothing) { // without attestations there is the artifact
		return err
	}
	if unread := h.listing.Unread(); len(unread) > 0 {
		h.moving.Say(func() {
			h.Info("note: what cannot be read is listed there without content: a decision by it is refused there, too")
		})
		if err := mirror.AddUnread(unread); err != nil {
			return err
		}
	}
	mirrored, err := mirror.Close(ctx)
	if err != nil {
		return err
	}
	h.moving.End()
	for name, id := range mirror.Missing() {
		h.Info("note: %s is detached, and the declaration %s is not here: bring it too", name, id)
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

// fetchedReport is the JSON result of one bundle that was written to a file.
type fetchedReport struct {
	Artifact      string `json:"artifact"`
	File          string `json:"file"`
	PredicateType string `json:"predicateType"`
	Referrer      string `json:"referrer"`
}

func (h *fetched) report(found *registry.Found, file string) fetchedReport {
	return fetchedReport{h.artifact.Reference.String(), file, strings.Clone(found.PredicateType), found.Referrer}
}
