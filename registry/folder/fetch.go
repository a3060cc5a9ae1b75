package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/registry"
)

// ErrNothing says that an artifact is there, is not a run, and has no attestation of the types that were asked for.
var ErrNothing = errors.New("has no such attestation")

// A Fetch reads what is attached to an artifact, and writes it. It is used for one call of Lines, LinesFile, Files or Mirror.
type Fetch struct {
	Target   *registry.Target
	Artifact *registry.Artifact
	Types    []string // only attestations of these predicate types, in full; all if there are none
	// Wrote, if it is given, is called for each bundle that is in a file.
	Wrote func(found *registry.Found, path string) error
	// Skipped, if it is given, is told of each attestation that cannot be read. The others are written.
	Skipped func(error)

	run     *identity.Declaration
	listing *registry.Listing
}

// IsLines tells by its name a file of JSON Lines, for LinesFile, from a folder, for Files.
func IsLines(path string) bool {
	return strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".ndjson")
}

// ErrDocument says that JSON Lines would be in a file whose name is that of one document.
var ErrDocument = errors.New("what is fetched are JSON Lines, and a .json file is one document")

// CheckPath finds, before anything is fetched, that there is no place for it: a path is that of a new file of JSON Lines, as
// IsLines says, or of one that is replaced, and else of a folder.
func CheckPath(path string) error {
	switch {
	case strings.HasSuffix(path, ".json"):
		return fmt.Errorf("%s: %w", path, ErrDocument)
	case IsLines(path):
		return overwrite.CheckTarget(path)
	case isFile(path):
		return fmt.Errorf("%s: is a file, want a folder, or the name of a new file that ends in .jsonl", path)
	}
	return nil
}

// CheckFolder refuses a file as the folder of a Mirror.
func CheckFolder(path string) error {
	if isFile(path) {
		return fmt.Errorf("%s: is a file, want a folder", path)
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// Declaration is that of the run that the artifact is; nil if the artifact is not a run.
func (f *Fetch) Declaration(ctx context.Context) (*identity.Declaration, error) {
	if f == nil || f.Target == nil || f.Artifact == nil {
		return nil, errors.New("nothing to fetch: no target or no artifact is given")
	}
	if f.run != nil || f.Artifact.Run().IsZero() {
		return f.run, nil
	}
	var err error
	f.run, err = f.Target.Declaration(ctx, f.Artifact)
	return f.run, err
}

// Listing says what was read, and what was left out; nil if nothing was listed.
func (f *Fetch) Listing() *registry.Listing {
	if f == nil {
		return nil
	}
	return f.listing
}

// Lines gives each bundle as a line of JSON Lines.
func (f *Fetch) Lines(ctx context.Context, write func(line []byte) error) error {
	if write == nil {
		return errors.New("nothing writes the lines: it is nil")
	}
	if err := f.list(ctx, false); err != nil {
		return err
	}
	return f.each(ctx, func(found *registry.Found) error { return write(Line(found)) })
}

// LinesFile writes one file of JSON Lines, whole or not at all. Wrote is called after that.
func (f *Fetch) LinesFile(ctx context.Context, path string) error {
	if err := f.list(ctx, false); err != nil {
		return err
	}
	var all []*registry.Found
	err := atomicfile.WriteFunc(path, func(w io.Writer) error {
		return f.each(ctx, func(found *registry.Found) error {
			all = append(all, &registry.Found{PredicateType: strings.Clone(found.PredicateType), Referrer: found.Referrer})
			_, err := w.Write(Line(found))
			return err
		})
	}, 0o644)
	for _, found := range all {
		if err == nil {
			err = f.wrote(found, path, nil)
		}
	}
	return err
}

// Files writes each bundle, and the declaration of the run that the artifact is, into a folder.
func (f *Fetch) Files(ctx context.Context, dir string) error {
	if err := f.list(ctx, false); err != nil {
		return err
	}
	to := New(dir)
	if err := f.writeDeclaration(to); err != nil {
		return err
	}
	return f.each(ctx, func(found *registry.Found) error {
		path, err := to.WriteBundle(found)
		return f.wrote(found, path, err)
	})
}

// Mirror makes a folder a Mirror of everything, with a trusted root if one is given, and returns the artifact in it. It may be
// without attestations. What Listing().Unread() gives is listed there, and cannot be read there either.
func (f *Fetch) Mirror(ctx context.Context, dir string, trustedRoot []byte) (*Mirror, *registry.Artifact, error) {
	if err := f.list(ctx, true); err != nil {
		return nil, nil, err
	}
	to, err := NewMirror(New(dir), f.Target, f.Artifact)
	if err != nil {
		return nil, nil, err
	}
	if trustedRoot != nil {
		if _, err := to.WriteTrustedRoot(trustedRoot); err != nil {
			return nil, nil, err
		}
	}
	if err := f.writeDeclaration(to.Folder); err != nil {
		return nil, nil, err
	}
	err = f.each(ctx, func(found *registry.Found) error {
		path, err := to.Add(ctx, found)
		return f.wrote(found, path, err)
	})
	if err != nil && !errors.Is(err, ErrNothing) {
		return nil, nil, err
	}
	if err := to.AddUnread(f.listing.Unread()); err != nil {
		return nil, nil, err
	}
	there, err := to.Close(ctx)
	return to, there, err
}

func (f *Fetch) writeDeclaration(to *Folder) error {
	if f.run == nil {
		return nil
	}
	return to.WriteDeclaration(f.run)
}

// list lists all, before anything is written: what is fetched may be all that a decision sees, and is not to lack a rejection.
func (f *Fetch) list(ctx context.Context, forMirror bool) error {
	if _, err := f.Declaration(ctx); err != nil {
		return err
	}
	list := f.Target.ListAll
	if forMirror {
		list = f.Target.ListForMirror
	}
	var err error
	f.listing, err = list(ctx, f.Artifact, f.Types...)
	return err
}

// each ends with ErrNothing if there was nothing at all, or with what kept the rest away.
func (f *Fetch) each(ctx context.Context, take func(*registry.Found) error) error {
	some := f.run != nil
	for found, err := range f.listing.Bundles(ctx) {
		if err != nil && registry.IsOfOne(err) {
			f.skip(err)
			continue
		}
		if err == nil {
			some, err = true, take(found)
		}
		if err != nil {
			return err
		}
	}
	if !some {
		return ErrNothing
	}
	return nil
}

func (f *Fetch) skip(err error) {
	if f.Skipped != nil {
		f.Skipped(err)
	}
}

// wrote says which file a bundle is in, unless it could not be written.
func (f *Fetch) wrote(found *registry.Found, path string, err error) error {
	if err != nil || f.Wrote == nil {
		return err
	}
	return f.Wrote(found, path)
}
