package layout

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	pathpkg "path"
	"path/filepath"
	"strings"
	"time"

	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/registry/internal/store"
)

// Create makes an empty OCI layout unless there is something: a tarball if the name ends in
// .tar, else a folder.
func Create(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && isLink(path) {
		return &store.Error{Target: Scheme + path, Err: misshapen("%w", errNowhere), Hint: "make what it leads to, or remove it"}
	}
	isDir := err == nil && info.IsDir()
	if err == nil && !isDir {
		return nil // and Open says if it is none
	}
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{},
	})
	if err != nil {
		return err
	}
	version := []byte(`{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`)
	switch {
	case isDir:
	case strings.HasSuffix(path, ".tar"):
		return createTarball(path, version, index)
	case strings.HasSuffix(path, ".tgz"), strings.Contains(filepath.Base(path), ".tar."):
		return &store.Error{Target: Scheme + path, Err: misshapen("a compressed tarball is neither read nor written: name a .tar or a folder")}
	}
	return folder(path).make(version, index)
}

// make takes no folder with an index.json that is another program's: it would be overwritten.
func (f folder) make(version, index []byte) error {
	if there, err := os.ReadFile(f.file(ocispec.ImageIndexFile)); err == nil && !bytes.Equal(there, index) {
		if _, err := os.Stat(f.file(ocispec.ImageLayoutFile)); errors.Is(err, fs.ErrNotExist) {
			return &store.Error{Target: Scheme + string(f), Err: misshapen("it holds an %s and no %s: name another folder", ocispec.ImageIndexFile, ocispec.ImageLayoutFile)}
		}
	}
	for _, path := range []string{string(f), f.file("blobs/sha256")} { // an error names the layout
		if err := atomicfile.MakeFolder(path); err != nil {
			return err
		}
	}
	if err := f.create(ocispec.ImageIndexFile, index); err != nil {
		return err
	}
	return f.create(ocispec.ImageLayoutFile, version)
}

func createTarball(path string, version, index []byte) error {
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	header := tar.Header{Mode: 0o644, ModTime: time.Now().Truncate(time.Second)}
	err := writeEntry(w, header, ocispec.ImageLayoutFile, version)
	if err == nil {
		err = writeEntry(w, header, ocispec.ImageIndexFile, index)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = atomicfile.Create(path, data.Bytes(), 0o644)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// folder is a layout in the file system.
type folder string

var _ tree = folder("")

// file is the path of a file of the layout. The folder's is as it was given: .. behind a link leads out of what the link leads to.
func (f folder) file(name string) string {
	return pathname.In(string(f), name)
}

func (f folder) open(name string) (io.ReadCloser, error) { return openRegular(f.file(name)) }

// openRegular opens a file, but not a pipe, which would block until another process writes.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = misshapen("%s is neither a file nor a folder", path)
		if info.IsDir() {
			err = misshapen("%s is a folder, want a file", path)
		}
	}
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// refuseLink is for files that are written: a link in somebody's layout may point at any file of ours.
func (f folder) refuseLink(name string) error {
	info, err := os.Lstat(f.file(name))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		err = misshapen("%s is a link, which is not written to: want a file", f.file(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

const indexLock = ".index.lock"

func (f folder) write(ctx context.Context, blobs []store.Item, reindex func() ([]byte, []store.Item, error)) error {
	err := errors.Join(f.refuseLink(indexLock), f.refuseLink(ocispec.ImageIndexFile))
	if err != nil {
		return err
	}
	err = store.InParallel(ctx, len(blobs), func(_ context.Context, i int) error {
		return f.store(blobs[i])
	})
	if err != nil {
		return err
	}
	lock, err := locked(ctx, func() (*lockedfile.File, error) {
		return lockedfile.OpenFile(f.file(indexLock), os.O_RDWR|os.O_CREATE, 0o666)
	})
	if err != nil {
		return err
	}
	defer lock.Close()
	index, more, err := reindex()
	if err != nil {
		return err
	}
	for _, b := range more {
		if err := f.store(b); err != nil {
			return err
		}
	}
	return atomicfile.Write(f.file(ocispec.ImageIndexFile), index, 0o644)
}

// store writes a blob unless it is there, unspoilt: not every program syncs what it writes before a crash.
func (f folder) store(b store.Item) error {
	name := blobName(b.Digest)
	r, err := f.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return f.create(name, b.Content)
	}
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(r, b.Size+1))
	if err = errors.Join(err, r.Close()); err != nil || bytes.Equal(data, b.Content) {
		return err
	}
	if err := f.refuseLink(name); err != nil {
		return err
	}
	return atomicfile.Write(f.file(name), b.Content, 0o644)
}

// create writes a file unless it is there.
func (f folder) create(name string, data []byte) error {
	if err := atomicfile.MakeFolder(f.file(pathpkg.Dir(name))); err != nil {
		return err
	}
	if err := atomicfile.Create(f.file(name), data, 0o644); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// locked waits for a lock, and gives up when the context ends; a lock that comes later is let go.
func locked(ctx context.Context, lock func() (*lockedfile.File, error)) (*lockedfile.File, error) {
	type result struct {
		file *lockedfile.File
		err  error
	}
	done := make(chan result, 1)
	go func() {
		f, err := lock()
		done <- result{f, err}
	}()
	select {
	case r := <-done:
		return r.file, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				r.file.Close()
			}
		}()
		return nil, fmt.Errorf("another process is writing: %w", ctx.Err())
	}
}
