package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/source"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/sigstore"
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
	cmd := &cobra.Command{
		Use:   "fetch REF [-o DIR | -o FILE.sigstore.jsonl]",
		Short: "Fetch the attestations of an artifact, or a run by its identity",
		Long: `Fetch the attestations that refer to an artifact in a registry or OCI layout, or a run:
REPO@airun:1:sha256:HEX, of which the declaration is fetched too. A declaration is hashed
again, and refused if its identity is not the one that was asked for. Signatures are not checked:
verify does that.

-o FILE.sigstore.jsonl writes one file of JSON Lines, -o DIR a file for each bundle and
declaration. Without -o bundles go to standard output as JSON Lines. --declaration writes the
declaration of a run alone, in canonical form.

--air-gap DIR gathers what somebody without a network needs: an OCI layout with the artifact's
manifest and all that is attached to it, the trusted root, and as files for people and other tools the
bundles, the declarations that they are about, and the manifest, whose SHA-256 is the artifact's
digest. The layout is verified as the registry would be; the command for it is printed:

  runattest verify --trusted-root DIR/trusted_root.json ... oci-layout://DIR@sha256:HEX`,
		Example: `  runattest fetch ghcr.io/acme/trainer:v3 -o trainer.sigstore.jsonl
  runattest fetch --declaration registry.acme.example/runs@airun:1:sha256:cda4466914ed... | sha256sum
  runattest fetch --air-gap usb --trusted-root trusted_root.json ghcr.io/acme/trainer:v3`,
		Args: oneArg("reference"),
	}
	var f fetchFlags
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "output", "o", "", "a folder, or a file of JSON Lines (default: standard output)")
	flags.StringVar(&f.airGap, "air-gap", "", "a folder for everything that an offline verifier needs")
	flags.StringVar(&f.root, "trusted-root", "", "with --air-gap: the Sigstore TrustedRoot file to put there")
	flags.BoolVar(&f.declaration, "declaration", false, "write the declaration of the run alone, in canonical form")
	f.types = predicateTypesFlag(cmd)
	f.reach = newRegistryFlags(cmd)
	formatFlag(cmd)
	_ = cmd.MarkFlagFilename("trusted-root", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := refuseEmpty(cmd, "output", "air-gap", "trusted-root"); err != nil {
			return err
		}
		if f.root != "" && f.airGap == "" {
			return errors.New("--trusted-root goes with --air-gap")
		}
		if f.airGap != "" && (f.out != "" || f.declaration) {
			return errors.New("--air-gap goes with neither --output nor --declaration: it writes a folder with everything")
		}
		return f.fetch(cmd, newOutput(cmd), args[0])
	}
	return cmd
}

// haul is what was fetched.
type haul struct {
	artifact     *registry.Artifact
	target       *registry.Target
	declarations map[identity.ID]*identity.Declaration
	found        []*registry.Found
}

func (f *fetchFlags) fetch(cmd *cobra.Command, o *output, ref string) error {
	moving := o.transfer(cmd.Context(), "attestations fetched")
	defer moving.end()
	h := &haul{declarations: map[identity.ID]*identity.Declaration{}}
	var err error
	if h.target, h.artifact, err = f.reach.resolve(o, ref, moving.count); err != nil {
		return err
	}
	if id := h.artifact.Run(); !id.IsZero() {
		if h.declarations[id], err = h.target.Declaration(cmd.Context(), h.artifact); err != nil {
			return err
		}
	}
	if f.declaration {
		moving.end()
		return f.writeDeclaration(o, h)
	}
	listing, err := h.target.List(cmd.Context(), h.artifact, longTypes(*f.types)...)
	if err != nil {
		return err
	}
	for found, err := range listing.Bundles(cmd.Context()) {
		if err != nil {
			moving.end()
			o.note("", err)
			continue
		}
		h.found = append(h.found, found)
	}
	moving.end()
	o.sayLeftOut(listing)
	if err := f.write(cmd, o, h); err != nil {
		return err
	}
	return o.done()
}

func (f *fetchFlags) writeDeclaration(o *output, h *haul) error {
	d := h.declarations[h.artifact.Run()]
	if d == nil {
		return fmt.Errorf("%s is no run's declaration", h.artifact.Reference)
	}
	if f.out == "" || f.out == source.Stdin {
		return o.writeRaw(d.Canonical())
	}
	return atomicfile.Write(f.out, d.Canonical(), 0o644)
}

func (f *fetchFlags) write(cmd *cobra.Command, o *output, h *haul) error {
	switch {
	case f.airGap != "":
		return f.writeAirGap(cmd.Context(), o, h)
	case len(h.found) == 0 && len(h.declarations) == 0:
		o.note(h.artifact.Reference.String(), errNothing)
		return nil
	case f.out == "" || f.out == source.Stdin:
		return o.writeRaw(h.lines())
	case strings.HasSuffix(f.out, ".jsonl") || strings.HasSuffix(f.out, ".ndjson"):
		if err := atomicfile.Write(f.out, h.lines(), 0o644); err != nil {
			return err
		}
		return o.printFetched(h, func(int) string { return f.out })
	case strings.HasSuffix(f.out, ".json"):
		return withHint(fmt.Errorf("%s: what is fetched are JSON Lines, and a .json file is one document", f.out), "name the file .sigstore.jsonl, or a folder")
	}
	return h.writeFolder(o, f.out)
}

// errNothing is the answer no: the artifact is there, and nothing that was asked for about it.
var errNothing = &noAttestationError{}

type noAttestationError struct{}

func (*noAttestationError) Error() string { return "has no such attestation" }

// lines are the bundles as JSON Lines. A bundle may be written with line breaks in it.
func (h *haul) lines() []byte {
	var all bytes.Buffer
	for _, found := range h.found {
		all.Write(oneLine(found))
		all.WriteByte('\n')
	}
	return all.Bytes()
}

func oneLine(found *registry.Found) []byte {
	data := bytes.TrimSpace(found.Data)
	if !bytes.ContainsAny(data, "\r\n") {
		return data
	}
	line, err := found.Bundle.Marshal()
	if err != nil {
		return data // unreachable: it was parsed
	}
	return line
}

// writeFolder writes a file for each bundle, named by its referrer, and for each declaration.
func (h *haul) writeFolder(o *output, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for id, d := range h.declarations {
		if err := atomicfile.Write(filepath.Join(dir, declarationFile(id)), d.Canonical(), 0o644); err != nil {
			return err
		}
	}
	name := func(i int) string { return filepath.Join(dir, bundleFile(h.found[i])) }
	for i, found := range h.found {
		if err := atomicfile.Write(name(i), found.Data, 0o644); err != nil {
			return err
		}
	}
	return o.printFetched(h, name)
}

func bundleFile(found *registry.Found) string {
	return strings.ReplaceAll(found.Referrer, ":", "-") + ".sigstore.json"
}

func declarationFile(id identity.ID) string {
	return strings.ReplaceAll(id.String(), ":", "-") + ".json"
}

// writeAirGap writes everything into one folder. What a detached attestation is about can only
// be there if the artifact is the run.
func (f *fetchFlags) writeAirGap(ctx context.Context, o *output, h *haul) error {
	if f.root == "" {
		o.info("note: without --trusted-root the folder serves those who verify with a key")
	} else if err := f.copyRoot(); err != nil {
		return err
	}
	if err := os.MkdirAll(f.airGap, 0o755); err != nil {
		return err
	}
	for _, found := range h.found {
		s, err := found.Bundle.UnverifiedStatement()
		if err != nil {
			continue // another predicate type
		}
		if s.Declaration != nil {
			if d, err := identity.Parse(s.Declaration); err == nil {
				h.declarations[d.ID()] = d
			}
		} else if h.declarations[s.Identity] == nil {
			o.info("note: %s is detached, and the declaration %s is not here: bring it too", bundleFile(found), s.Identity)
		}
	}
	if err := atomicfile.Write(filepath.Join(f.airGap, "manifest.json"), h.artifact.Manifest(), 0o644); err != nil {
		return err
	}
	mirrored, err := f.mirror(ctx, h)
	if err != nil {
		return err
	}
	if err := h.writeFolder(o, f.airGap); err != nil {
		return err
	}
	trust := "--key KEY"
	if f.root != "" {
		trust = "--trusted-root " + filepath.Join(f.airGap, trustedRootFile) + " ..."
	}
	o.info("there: runattest verify %s %s", trust, mirrored.Reference)
	return nil
}

// mirror makes the folder an OCI layout of what it takes to verify the artifact.
func (f *fetchFlags) mirror(ctx context.Context, h *haul) (*registry.Artifact, error) {
	if err := registry.CreateLayout(f.airGap); err != nil {
		return nil, err
	}
	ref, err := registry.ParseReference("oci-layout://" + filepath.ToSlash(f.airGap))
	if err != nil {
		return nil, fmt.Errorf("--air-gap: %w", err)
	}
	layout, err := registry.Open(ref, registry.Options{})
	if err != nil {
		return nil, err
	}
	return h.target.Mirror(ctx, h.artifact, h.found, layout)
}

const trustedRootFile = "trusted_root.json"

func (f *fetchFlags) copyRoot() error {
	data, err := boundedfile.Read(f.root, limits.TrustedRoot)
	if err != nil {
		return err
	}
	if _, err := sigstore.ParseTrustedRoot(data); err != nil {
		return fmt.Errorf("%s: %w", f.root, err)
	}
	if err := os.MkdirAll(f.airGap, 0o755); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(f.airGap, trustedRootFile), data, 0o644)
}

// printFetched names each file once; JSON has an object for each bundle.
func (o *output) printFetched(h *haul, file func(int) string) error {
	var files []string
	for i, found := range h.found {
		name := file(i)
		if o.json {
			err := o.object(map[string]any{
				"artifact": h.artifact.Reference.String(), "referrer": found.Referrer, "predicateType": found.PredicateType, "file": name,
			})
			if err != nil {
				return err
			}
		} else if !slices.Contains(files[max(0, len(files)-1):], name) {
			files = append(files, name)
			if err := o.line("%s", name); err != nil {
				return err
			}
		}
	}
	return nil
}
