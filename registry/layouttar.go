package registry

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/runattest/runattest/internal/limits"
)

// tarball is a layout in a tar file, as `oras cp --to-oci-layout` and skopeo write it: read in
// place, without unpacking.
type tarball struct {
	path    string
	entries map[string]span
}

// span is where a file's content is in the tarball.
type span struct{ at, size int64 }

func openTarball(name string) (*tarball, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := &tarball{name, map[string]span{}}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, fmt.Errorf("is no tarball: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		at, err := f.Seek(0, io.SeekCurrent) // the reader reads no further than it must
		if err != nil {
			return nil, err
		}
		t.entries[path.Clean(h.Name)] = span{at, h.Size}
		if len(t.entries) > 4*limits.LayoutManifests {
			return nil, fmt.Errorf("holds more than %d files", 4*limits.LayoutManifests)
		}
	}
}

type tarFile struct {
	io.Reader
	io.Closer
}

func (t *tarball) open(name string) (io.ReadCloser, error) {
	s, ok := t.entries[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, err
	}
	return tarFile{io.NewSectionReader(f, s.at, s.size), f}, nil
}

func (*tarball) create(string, []byte) error  { return errReadOnly }
func (*tarball) replace(string, []byte) error { return errReadOnly }
func (*tarball) lock() (func(), error)        { return nil, errReadOnly }
