package layout

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/registry/internal/store"
)

// A tarball is never changed: a new one is written beside it, synced and renamed, so that readers,
// also after a crash, find the old one or the new one. The old entries are
// copied as they are, headers and all; only the index is left out, and comes last with what is new.
//
// Writers take turns by a lock on the tarball itself, which leaves nothing behind. Renaming takes
// the name from the locked file: who gets the lock after that has the wrong file, and begins again.

// errMoved says that a program that knows no lock has written.
var errMoved = errors.New("another program has changed the tarball meanwhile, and nothing was written: try again")

func (t *tarball) write(ctx context.Context, blobs []store.Item, reindex func() ([]byte, []store.Item, error)) error {
	path, err := filepath.EvalSymlinks(t.path)
	if err != nil {
		return err
	}
	lock, err := locked(ctx, func() (*lockedfile.File, error) { return lockTarball(path) })
	if err != nil {
		return err
	}
	defer lock.Close()
	old, err := t.lookAt(lock.File)
	if err == nil {
		err = old.rewritable(ctx, lock.File)
	}
	if err != nil {
		return err
	}
	index, more, err := reindex()
	if err != nil {
		return err
	}
	fresh, err := old.missing(lock.File, append(slices.Clone(blobs), more...))
	if err != nil {
		return err
	}
	return old.replace(ctx, lock.File, path, fresh, index)
}

// lockTarball locks the file that has the name, and not one that had it.
func lockTarball(path string) (*lockedfile.File, error) {
	for {
		f, err := lockedfile.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		mine, err := f.Stat()
		if err == nil {
			now, statErr := os.Stat(path)
			if err = statErr; err == nil && os.SameFile(mine, now) {
				return f, nil
			}
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
}

// rewritable says what stands in the way of a copy that differs in its index alone.
func (c *contents) rewritable(ctx context.Context, f *os.File) error {
	switch {
	case c.sparse != "":
		return misshapen("the tarball holds a sparse file, %q: unpack it, and pack it again without --sparse", c.sparse)
	case c.linked:
		return misshapen("a hard link in the tarball points at %s: unpack it, and name the folder", ocispec.ImageIndexFile)
	}
	rest := io.NewSectionReader(f, c.end, max(0, c.file.Size()-c.end))
	for buf := make([]byte, 64<<10); ; {
		n, err := rest.Read(buf)
		switch {
		case len(bytes.Trim(buf[:n], "\x00")) > 0:
			return misshapen("something follows the end of the tarball, and would be lost: unpack it, and name the folder")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil || ctx.Err() != nil:
			return cmp.Or(err, ctx.Err())
		}
	}
}

// missing are the blobs that the tarball does not have, or has spoilt, once each.
func (c *contents) missing(f *os.File, blobs []store.Item) ([]store.Item, error) {
	seen := map[digest.Digest]bool{}
	var fresh []store.Item
	for _, b := range blobs {
		if seen[b.Digest] {
			continue
		}
		seen[b.Digest] = true
		there, err := c.has(f, b)
		if err != nil {
			return nil, err
		}
		if !there {
			fresh = append(fresh, b)
		}
	}
	return fresh, nil
}

func (c *contents) has(f *os.File, b store.Item) (bool, error) {
	there, ok := c.entries[blobName(b.Digest)]
	if !ok || there.kind != tar.TypeReg || there.size != b.Size {
		return false, nil
	}
	data := make([]byte, there.size)
	_, err := io.ReadFull(io.NewSectionReader(f, there.at, there.size), data)
	return bytes.Equal(data, b.Content), err
}

// replace puts a new tarball in the old one's place, with its permissions.
func (c *contents) replace(ctx context.Context, old *os.File, path string, fresh []store.Item, index []byte) error {
	tmp, err := os.OpenFile(pathname.In(pathname.Folder(path), ".runattest-"+rand.Text()+".tmp"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = c.fill(ctx, tmp, old, fresh, index)
	if err == nil {
		err = c.check(tmp, fresh, index)
	}
	if err == nil {
		err = tmp.Chmod(c.file.Mode().Perm())
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		var now os.FileInfo
		if now, err = os.Stat(path); err == nil && !isSame(now, c.file) {
			err = errMoved
		}
	}
	if err == nil {
		err = atomicfile.Replace(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return syncDir(filepath.Dir(path))
}

// fill copies what stays and appends what is new.
func (c *contents) fill(ctx context.Context, dst, src *os.File, fresh []store.Item, index []byte) error {
	at := int64(0)
	for _, leftOut := range append(slices.Clone(c.indexes), span{c.end, 0}) {
		if err := copyPart(ctx, dst, src, span{at, leftOut.at - at}); err != nil {
			return err
		}
		at = leftOut.at + leftOut.size
	}
	header := tar.Header{
		Mode: cmp.Or(c.index.Mode&0o777, 0o644), Uid: c.index.Uid, Gid: c.index.Gid, Uname: c.index.Uname, Gname: c.index.Gname, ModTime: time.Now().Truncate(time.Second),
	}
	prefix := "" // tar -C FOLDER . begins names with it
	if strings.HasPrefix(c.index.Name, "./") {
		prefix = "./"
	}
	w := tar.NewWriter(dst)
	for _, b := range fresh {
		if err := writeEntry(w, header, prefix+blobName(b.Digest), b.Content); err != nil {
			return err
		}
	}
	if err := writeEntry(w, header, prefix+ocispec.ImageIndexFile, index); err != nil {
		return err
	}
	return w.Close()
}

// copyPart copies a part of a tarball that may have many gigabytes. It heeds an interrupt, and
// syncs as it goes, since nothing heeds one while everything is synced at the end.
func copyPart(ctx context.Context, dst, src *os.File, part span) error {
	if _, err := src.Seek(part.at, io.SeekStart); err != nil {
		return err
	}
	for left := part.size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(dst, src, min(left, 16<<20))
		if errors.Is(err, io.EOF) {
			return misshapen("the tarball is cut off: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		left -= n
		if (part.size-left)%(128<<20) == 0 {
			if err := dst.Sync(); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeEntry(w *tar.Writer, header tar.Header, name string, data []byte) error {
	header.Typeflag, header.Name, header.Size = tar.TypeReg, name, int64(len(data))
	if err := w.WriteHeader(&header); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// check reads the new tarball's headers: every old entry is there, and what is new.
func (c *contents) check(f *os.File, fresh []store.Item, index []byte) error {
	made, err := scan(f)
	if err != nil {
		return err
	}
	want := map[string]entry{ocispec.ImageIndexFile: {span{0, int64(len(index))}, tar.TypeReg}}
	for _, b := range fresh {
		want[blobName(b.Digest)] = entry{span{0, b.Size}, tar.TypeReg}
	}
	for name, e := range c.entries {
		if _, ok := want[name]; !ok {
			want[name] = e
		}
	}
	for name, e := range want {
		if got, ok := made.entries[name]; !ok || got.size != e.size || got.kind != e.kind {
			return fmt.Errorf("%s does not survive copying the tarball: unpack it, and name the folder", name)
		}
	}
	if made.headers != c.headers-len(c.indexes)+len(fresh)+1 {
		return fmt.Errorf("%d entries of %d survive copying the tarball: unpack it, and name the folder", made.headers-len(fresh)-1, c.headers-len(c.indexes))
	}
	data := make([]byte, len(index))
	if _, err := f.ReadAt(data, made.entries[ocispec.ImageIndexFile].at); err != nil || !bytes.Equal(data, index) {
		return errors.Join(errors.New("the tarball's new index is not what was written"), err)
	}
	return nil
}

// syncDir makes the new name durable; not every platform can open a folder, and not every file
// system syncs one.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	_ = d.Sync()
	return d.Close()
}
