// Package folder writes what is fetched from a registry into a folder: bundles and declarations as files for people and
// other tools, and with a Mirror an OCI layout from which the artifact is verified as from its registry.
//
//	sha256-HEX.sigstore.json     a bundle, by its referrer's digest
//	sha256-HEX.runproof.json     the proof of a run in a set, likewise
//	airun-1-sha256-HEX.json      the canonical declaration of a run, by its identity
//	sha256-HEX.manifest.json     the artifact's manifest, whose SHA-256 is its digest (of a Mirror)
//	trusted_root.json            who vouches for signers and times, where it is given
//
// A Fetch lists what is attached to an artifact and writes all of it:
//
//	f := folder.Fetch{Target: target, Artifact: artifact}
//	err := f.Files(ctx, "attestations")
//
// Files of these names are replaced, links are not: in a folder of another user a link may lead to any file.
package folder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry"
)

// TrustedRoot is the name of the trusted root in a folder.
const TrustedRoot = "trusted_root.json"

// A Folder is written to by one goroutine.
type Folder struct {
	dir          string
	declarations map[identity.ID]bool   // that are files
	detached     map[string]identity.ID // bundles without their declaration
}

// New is the folder at a path, which is made when something is written.
func New(dir string) *Folder {
	return &Folder{dir, map[identity.ID]bool{}, map[string]identity.ID{}}
}

// WriteDeclaration writes the declaration of a run, in canonical form.
func (f *Folder) WriteDeclaration(d *identity.Declaration) error {
	if err := f.check(); err != nil {
		return err
	}
	id := d.ID()
	f.declarations[id] = true
	_, err := f.write(dashed(id.String())+".json", d.Canonical())
	return err
}

// WriteBundle writes a bundle as it was found, and returns the path of its file.
func (f *Folder) WriteBundle(found *registry.Found) (path string, err error) {
	if found == nil {
		return "", errors.New("no bundle to write: it is nil")
	}
	return f.write(bundleFile(found), found.Data)
}

// WriteTrustedRoot writes a trusted root, and returns the path of its file. It is not looked at.
func (f *Folder) WriteTrustedRoot(data []byte) (path string, err error) {
	return f.write(TrustedRoot, data)
}

// Missing are the files of detached bundles, in the order of their names, and the runs whose declarations are not there.
func (f *Folder) Missing() iter.Seq2[string, identity.ID] {
	f = zero.IfNil(f)
	return func(yield func(string, identity.ID) bool) {
		for _, name := range slices.Sorted(maps.Keys(f.detached)) {
			if id := f.detached[name]; !f.declarations[id] && !yield(name, id) {
				return
			}
		}
	}
}

// check refuses a folder that New has not made.
func (f *Folder) check() error {
	if f == nil || f.declarations == nil {
		return errors.New("no folder to write to: it is nil or a zero value")
	}
	return nil
}

func (f *Folder) write(name string, data []byte) (path string, err error) {
	if err := f.check(); err != nil {
		return "", err
	}
	if !filepath.IsLocal(name) || name != filepath.Base(name) {
		return "", fmt.Errorf("%q is not the name of a file in a folder", name)
	}
	if err := atomicfile.MakeFolder(f.dir); err != nil {
		return "", err
	}
	path = pathname.In(f.dir, name)
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return "", fmt.Errorf("%s is a link, which is not written to: want a file", path)
	}
	return path, atomicfile.Write(path, data, 0o644)
}

// keepDeclaration writes the declaration that a bundle is about, or remembers that it is elsewhere.
func (f *Folder) keepDeclaration(found *registry.Found) error {
	s, err := found.Bundle.UnverifiedStatement()
	if err != nil {
		return nil // of another predicate type
	}
	if s.Declaration == nil {
		f.detached[bundleFile(found)] = s.Identity
		return nil
	}
	d, err := identity.Parse(s.Declaration)
	if err != nil || f.declarations[d.ID()] {
		return nil // as a verifier will say
	}
	return f.WriteDeclaration(d)
}

func bundleFile(found *registry.Found) string {
	if found.MediaType == attest.RunProofMediaType {
		return dashed(found.Referrer) + ".runproof.json"
	}
	return dashed(found.Referrer) + ".sigstore.json"
}

func dashed(name string) string { return strings.ReplaceAll(name, ":", "-") }

// Line is a bundle as a line of JSON Lines; where it is stored it may have line breaks in it.
func Line(found *registry.Found) []byte {
	data := bytes.TrimSpace(zero.IfNil(found).Data)
	if bytes.ContainsAny(data, "\r\n") {
		var line bytes.Buffer
		if err := json.Compact(&line, data); err == nil { // as it must: it was parsed
			data = line.Bytes()
		}
	}
	return append(data[:len(data):len(data)], '\n')
}
