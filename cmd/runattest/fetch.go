package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	moving       *terminal.Transfer
	artifact     *registry.Artifact
	target       *registry.Target
	declarations map[identity.ID]*identity.Declaration // what a run is
	found        iter.Seq2[*registry.Found, error]
	count        int

	kept     map[identity.ID]bool   // declarations that are files
	detached map[string]identity.ID // bundles without
}

func (f *fetchFlags) fetch(cmd *cobra.Command, o *output, ref string) error {
	moving := o.transfer(cmd.Context(), "attestations fetched")
	defer moving.End()
	h := &fetched{output: o, moving: moving, declarations: map[identity.ID]*identity.Declaration{}, kept: map[identity.ID]bool{}, detached: map[string]identity.ID{}}
	var err error
	if h.target, h.artifact, err = f.reach.resolve(o, ref, moving); err != nil {
		return err
	}
	if id := h.artifact.Run(); !id.IsZero() {
		if h.declarations[id], err = h.target.Declaration(cmd.Context(), h.artifact); err != nil {
			return err
		}
	}
	if f.declaration {
		moving.End()
		return f.writeDeclaration(o, h)
	}
	listing, err := h.target.List(cmd.Context(), h.artifact, longTypes(*f.types)...)
	if err != nil {
		return err
	}
	h.found = listing.Bundles(cmd.Context())
	err = f.write(cmd, h)
	moving.End()
	o.sayLeftOut(listing)
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
	if h.count == 0 && len(h.declarations) == 0 {
		return errNothing
	}
	return nil
}

func (f *fetchFlags) writeDeclaration(o *output, h *fetched) error {
	d := h.declarations[h.artifact.Run()]
	if d == nil {
		return fmt.Errorf("%s is not a run, and has no declaration", h.artifact.Reference)
	}
	if f.out == "" || f.out == input.Stdin {
		return o.WriteRaw(d.Canonical())
	}
	return atomicfile.Write(f.out, d.Canonical(), 0o644)
}

func (f *fetchFlags) write(cmd *cobra.Command, h *fetched) error {
	switch {
	case f.airGap != "":
		return f.writeAirGap(cmd.Context(), h)
	case f.out == "" || f.out == input.Stdin:
		return h.each(func(found *registry.Found) (err error) {
			h.moving.Say(func() { err = h.WriteRaw(oneLine(found)) })
			return err
		})
	case strings.HasSuffix(f.out, ".jsonl") || strings.HasSuffix(f.out, ".ndjson"):
		return h.writeLines(f.out)
	}
	if len(h.declarations) > 0 {
		if err := h.writeDeclarations(f.out); err != nil {
			return err
		}
	}
	return h.each(func(found *registry.Found) error { return h.writeBundle(f.out, found) })
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
			_, err := w.Write(oneLine(found))
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

// oneLine is a bundle as JSON Lines have it; it may be kept with line breaks in it.
func oneLine(found *registry.Found) []byte {
	data := bytes.TrimSpace(found.Data)
	if bytes.ContainsAny(data, "\r\n") {
		if line, err := found.Bundle.Marshal(); err == nil { // as it must: it was parsed
			data = line
		}
	}
	return append(data[:len(data):len(data)], '\n')
}

// writeDeclarations makes a folder with what is known of declarations before there is a bundle.
func (h *fetched) writeDeclarations(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for id, d := range h.declarations {
		if err := writeInto(dir, declarationFile(id), d.Canonical()); err != nil {
			return err
		}
		h.kept[id] = true
	}
	return nil
}

// writeBundle writes a file for a bundle, named by its referrer.
func (h *fetched) writeBundle(dir string, found *registry.Found) (err error) {
	name := filepath.Join(dir, bundleFile(found))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeInto(dir, bundleFile(found), found.Data); err != nil {
		return err
	}
	h.moving.Say(func() {
		if h.JSON {
			err = h.Object(h.report(found, name))
		} else {
			err = h.Line("%s", name)
		}
	})
	return err
}

// writeInto writes a file whose name the caller did not choose: in a foreign folder, a link of that name may point at
// any file of the user.
func writeInto(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a link, which is not written to: want a file", path)
	}
	return atomicfile.Write(path, data, 0o644)
}

func bundleFile(found *registry.Found) string {
	return strings.ReplaceAll(found.Referrer, ":", "-") + ".sigstore.json"
}

func manifestFile(a *registry.Artifact) string {
	return strings.ReplaceAll(a.Digest(), ":", "-") + ".manifest.json"
}

func declarationFile(id identity.ID) string {
	return strings.ReplaceAll(id.String(), ":", "-") + ".json"
}

// writeAirGap writes everything into one folder. What a detached attestation is about can only
// be there if the artifact is the run.
func (f *fetchFlags) writeAirGap(ctx context.Context, h *fetched) error {
	if f.root == "" {
		h.moving.Say(func() { h.Info("note: without --trusted-root the folder serves those who verify with a key") })
	} else if err := f.copyRoot(); err != nil {
		return err
	}
	if err := h.writeDeclarations(f.airGap); err != nil {
		return err
	}
	layout, err := f.openLayout()
	if err != nil {
		return err
	}
	if err := writeInto(f.airGap, manifestFile(h.artifact), h.artifact.Manifest()); err != nil {
		return err
	}
	mirrored, err := h.mirror(ctx, f.airGap, layout)
	if err != nil {
		return err
	}
	h.moving.End()
	for _, name := range slices.Sorted(maps.Keys(h.detached)) {
		if id := h.detached[name]; !h.kept[id] {
			h.Info("note: %s is detached, and the declaration %s is not here: bring it too", name, id)
		}
	}
	trust := "--key KEY"
	if f.root != "" {
		trust = "--trusted-root " + filepath.Join(f.airGap, trustedRootFile) + " ..."
	}
	h.Info("there: runattest verify %s %s", trust, mirrored.Reference)
	return nil
}

// openLayout makes the folder an OCI layout.
func (f *fetchFlags) openLayout() (*registry.Target, error) {
	if err := registry.CreateLayout(f.airGap); err != nil {
		return nil, err
	}
	ref, err := registry.ParseReference("oci-layout://" + filepath.ToSlash(f.airGap))
	if err != nil {
		return nil, fmt.Errorf("--air-gap: %w", err)
	}
	return registry.Open(ref, registry.Options{})
}

// mirror puts into the layout what it takes to verify the artifact, some bundles at a time, and beside it the
// bundles as files.
func (h *fetched) mirror(ctx context.Context, dir string, layout *registry.Target) (*registry.Artifact, error) {
	var some []*registry.Found
	size := 0
	err := h.each(func(found *registry.Found) error {
		if size += len(found.Data); size > limits.Mirrored {
			if _, err := h.target.Mirror(ctx, h.artifact, some, layout); err != nil {
				return err
			}
			some, size = nil, len(found.Data)
		}
		some = append(some, found)
		if err := h.keepDeclaration(dir, found); err != nil {
			return err
		}
		found.Bundle = nil // which has everything twice
		return h.writeBundle(dir, found)
	})
	if err != nil && !errors.Is(err, errNothing) { // of nothing there is the artifact
		return nil, err
	}
	return h.target.Mirror(ctx, h.artifact, some, layout)
}

// keepDeclaration writes the declaration that a bundle is about, or remembers that it is elsewhere.
func (h *fetched) keepDeclaration(dir string, found *registry.Found) error {
	s, err := found.Bundle.UnverifiedStatement()
	if err != nil {
		return nil // of another predicate type
	}
	if s.Declaration == nil {
		h.detached[bundleFile(found)] = s.Identity
		return nil
	}
	d, err := identity.Parse(s.Declaration)
	if err != nil || h.kept[d.ID()] {
		return nil // as verify will say
	}
	h.kept[d.ID()] = true
	return writeInto(dir, declarationFile(d.ID()), d.Canonical())
}

const trustedRootFile = "trusted_root.json"

func (f *fetchFlags) copyRoot() error {
	data, err := boundedfile.Read(f.root, limits.TrustedRoot)
	if err != nil {
		return err
	}
	if _, err := parseTrustedRoot(f.root, data); err != nil {
		return err
	}
	if err := os.MkdirAll(f.airGap, 0o755); err != nil {
		return err
	}
	return writeInto(f.airGap, trustedRootFile, data)
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
