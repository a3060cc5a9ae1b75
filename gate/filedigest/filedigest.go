package filedigest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
)

// Hasher hashes files, several at a time. The zero Hasher is ready to use, and safe for concurrent use:
// all calls together read as many files at a time as there are processors.
type Hasher struct {
	// Progress, unless nil, is written what has been read; its Write is called from one
	// goroutine at a time.
	Progress io.Writer

	once     sync.Once
	progress lockedWriter
	lanes    chan []byte // each with its buffer, once it was needed
}

const bufferSize = 256 << 10

func (h *Hasher) begin() {
	h.once.Do(func() {
		n := runtime.GOMAXPROCS(0)
		h.progress.w, h.lanes = h.Progress, make(chan []byte, n)
		for range n {
			h.lanes <- nil
		}
	})
}

// Digests computes the digests of the file or folder at path: SHA-256, and the others where want has them.
// The error names the path.
func (h *Hasher) Digests(ctx context.Context, path string, want identity.Digests) (identity.Digests, error) {
	if h == nil {
		h = new(Hasher)
	}
	h.begin()
	info, err := os.Stat(path)
	if err != nil {
		return identity.Digests{}, err
	}
	d := newDigester(want)
	if !info.IsDir() {
		err := h.file(ctx, path, d)
		return d.digests(), err
	}
	listing, err := h.folder(ctx, path)
	if err != nil {
		return identity.Digests{}, err
	}
	for _, line := range listing {
		_, _ = io.WriteString(d, line)
	}
	return d.digests(), nil
}

// folder is the listing of a folder, as the package documentation defines it.
func (h *Hasher) folder(ctx context.Context, folder string) ([]string, error) {
	paths, err := filesBelow(ctx, folder)
	if err != nil {
		return nil, err
	}
	listing := make([]string, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range paths {
		group.Go(func() error {
			d := newDigester(identity.Digests{})
			if err := h.file(ctx, pathname.In(folder, path), d); err != nil {
				return err
			}
			listing[i] = fmt.Sprintf("%x  %s\n", d.digests().SHA256, path)
			return nil
		})
	}
	return listing, group.Wait()
}

// filesBelow are the paths of all files in a folder, from the folder, with slashes, sorted.
func filesBelow(ctx context.Context, folder string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(folder+string(filepath.Separator), func(full string, entry fs.DirEntry, err error) error {
		var path string
		if err == nil {
			path, err = filepath.Rel(folder, full)
			path = filepath.ToSlash(path)
		}
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return &SpecialFileError{Folder: folder, Path: full, Mode: entry.Type()}
		case strings.ContainsAny(path, "\n\r\\"): // which sha256sum writes in another way
			return fmt.Errorf("%q: a line break or backslash in a path has no place in a listing", full)
		case len(paths) == limits.FolderFiles:
			return fmt.Errorf("%s: more than %d files", folder, limits.FolderFiles)
		}
		paths = append(paths, path)
		return nil
	})
	slices.Sort(paths)
	return paths, err
}

// SpecialFileError says that something is neither a file nor a folder, and has no digest. A symbolic link is one where it
// lies in a folder: what it leads to can lie anywhere, and is not what a listing of the folder holds.
type SpecialFileError struct {
	Folder string // the folder that was to be hashed, if it lies in one
	Path   string
	Mode   fs.FileMode // its type
}

func (e *SpecialFileError) Error() string {
	kind := "a special file"
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		kind = "a symbolic link"
	case e.Mode&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case e.Mode&fs.ModeSocket != 0:
		kind = "a socket"
	case e.Mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	if e.Folder == "" {
		return fmt.Sprintf("%s: is %s, want a file or a folder", e.Path, kind)
	}
	return fmt.Sprintf("%s: is %s: a folder with a digest holds files and folders alone", e.Path, kind)
}

// Dead is the first symbolic link in the folder that cannot be followed, or leads to a folder that it lies in, "" if there is none: a
// copy with files in place of links cannot be made.
func (e *SpecialFileError) Dead() string {
	if e == nil || e.Folder == "" {
		return ""
	}
	dead := ""
	_ = filepath.WalkDir(e.Folder+string(filepath.Separator), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink == 0 {
			return nil // only links are looked at
		}
		to, err := filepath.EvalSymlinks(path)
		from, err2 := filepath.EvalSymlinks(filepath.Dir(path))
		if err == nil && err2 == nil {
			up, err := filepath.Rel(to, from)
			if err != nil || up == ".." || strings.HasPrefix(up, ".."+string(filepath.Separator)) {
				return nil
			}
		}
		dead = path
		return filepath.SkipAll
	})
	return dead
}

// file hashes a file that stays as it is meanwhile.
func (h *Hasher) file(ctx context.Context, path string, d *digester) error {
	buffer := <-h.lanes
	if buffer == nil {
		buffer = make([]byte, bufferSize)
	}
	defer func() { h.lanes <- buffer }()
	before, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() { // before it is opened, which devices take for a command
		return &SpecialFileError{Path: path, Mode: before.Mode().Type()}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|boundedfile.OpenAtOnce, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	n := int64(-1)
	if os.SameFile(before, opened) {
		if n, err = io.CopyBuffer(io.MultiWriter(d, &h.progress), &contextReader{ctx, f}, buffer); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	after, err := f.Stat()
	if err != nil {
		return err
	}
	if n != after.Size() || !before.ModTime().Equal(after.ModTime()) {
		return fmt.Errorf("%s: changes while it is read", path)
	}
	return nil
}

// digester computes SHA-256, and the others where they are wanted.
type digester struct {
	sha256         hash.Hash
	sha384, sha512 hash.Hash
}

func newDigester(want identity.Digests) *digester {
	d := &digester{sha256: sha256.New()}
	for algorithm := range want.All() {
		switch algorithm {
		case "sha384":
			d.sha384 = sha512.New384()
		case "sha512":
			d.sha512 = sha512.New()
		}
	}
	return d
}

func (d *digester) Write(p []byte) (int, error) {
	for _, h := range []hash.Hash{d.sha256, d.sha384, d.sha512} {
		if h != nil {
			h.Write(p)
		}
	}
	return len(p), nil
}

func (d *digester) digests() identity.Digests {
	var out identity.Digests
	d.sha256.Sum(out.SHA256[:0])
	if d.sha384 != nil {
		d.sha384.Sum(out.SHA384[:0])
	}
	if d.sha512 != nil {
		d.sha512.Sum(out.SHA512[:0])
	}
	return out
}

var titles = map[string]string{"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}

// Match returns an error unless every digest that is declared is the one that was computed, and at least one is declared.
func Match(declared, got identity.Digests) error {
	if declared == (identity.Digests{}) {
		return errors.New("the declaration has no digest of it")
	}
	sums := map[string][]byte{"sha256": got.SHA256[:], "sha384": got.SHA384[:], "sha512": got.SHA512[:]}
	for algorithm, want := range declared.All() {
		if !bytes.Equal(sums[algorithm], want) {
			return fmt.Errorf("its %s is %x, but %x is declared", titles[algorithm], sums[algorithm], want)
		}
	}
	return nil
}
