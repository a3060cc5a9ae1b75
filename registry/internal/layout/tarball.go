package layout

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/internal/limits"
)

// tarball is a layout in a tar file: read in place, and written as a whole when something is added.
type tarball struct {
	path string

	mu  sync.Mutex
	now *contents
}

var _ tree = (*tarball)(nil)

// contents are what is in a tarball, as an extractor would leave it: of several entries with one
// name the last counts.
type contents struct {
	file    fs.FileInfo      // of the tarball when it was looked at
	entries map[string]entry // of the layout; others are nothing to us
	headers int              // how many, of whatever type and name
	end     int64            // of the last entry
	// What stands in the way of writing: the name of a sparse file, a hard link to the index.
	sparse string
	linked bool
	// What a new index replaces: where the entries of that name are, and how the last one is named.
	indexes []span
	index   tar.Header
}

// span is a part of the tarball.
type span struct{ at, size int64 }

// entry is a file's content, or something else of that name.
type entry struct {
	span
	kind byte // its type flag; tar.TypeReg for what can be read
}

// tarBlock is what the parts of a tarball are padded to.
const tarBlock = 512

func padded(n int64) int64 { return (n + tarBlock - 1) / tarBlock * tarBlock }

// scan reads the headers of a tarball and skips what is between them.
func scan(f *os.File) (*contents, error) {
	c := &contents{entries: map[string]entry{}}
	var err error
	if c.file, err = f.Stat(); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return nil, c.unreadable(f, err)
		}
		at, err := f.Seek(0, io.SeekCurrent) // the reader reads no further than it must
		if err != nil {
			return nil, err
		}
		c.add(h, at)
		if len(c.entries) > 4*limits.LayoutManifests {
			return nil, misshapen("it holds more than %d files", 4*limits.LayoutManifests)
		}
	}
}

// add notes an entry whose content begins at at.
func (c *contents) add(h *tar.Header, at int64) {
	c.headers++
	e := entry{span{at, h.Size}, h.Typeflag}
	whole := span{c.end, -c.end} // with its headers
	switch h.Typeflag {
	case tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeDir, tar.TypeFifo, tar.TypeXGlobalHeader:
		e.size = 0 // whatever the header says
	}
	for name := range h.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			e.kind = tar.TypeGNUSparse
		}
	}
	if e.kind == tar.TypeGNUSparse {
		c.sparse = h.Name
	}
	c.end = padded(at + e.size)
	whole.size += c.end
	target := entryName(h.Linkname)
	c.linked = c.linked || h.Typeflag == tar.TypeLink && target == ocispec.ImageIndexFile
	name := entryName(h.Name)
	if name == "" || h.Typeflag == tar.TypeXGlobalHeader {
		return
	}
	if h.Typeflag == tar.TypeLink {
		if there, ok := c.entries[target]; ok && !isOwnFile(name) {
			e = there
		}
	}
	if c.entries[name] = e; name == ocispec.ImageIndexFile {
		c.indexes, c.index = append(c.indexes, whole), *h
	}
}

// entryName returns a name as a layout has it, and "" for what is not a part of one: other names,
// absolute ones, those with .. in them.
func entryName(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return ""
		}
	}
	name = path.Clean(name)
	if isOwnFile(name) || strings.HasPrefix(name, "blobs/") && len(name) < 200 {
		return name
	}
	return ""
}

func isOwnFile(name string) bool {
	return name == ocispec.ImageIndexFile || name == ocispec.ImageLayoutFile
}

var errCompressed = errors.New("the tarball is compressed")

// unreadable says why a file is not a tarball, or not one from here on.
func (c *contents) unreadable(f *os.File, err error) error {
	var path *fs.PathError
	switch {
	case errors.As(err, &path) && path.Op == "seek": // to the end of what claims to be larger than any file
		err = io.ErrUnexpectedEOF
	case path != nil:
		return err
	}
	start := make([]byte, 6)
	n, readErr := f.ReadAt(start, 0)
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return readErr
	}
	for _, z := range []struct{ magic, name, program string }{
		{"\x1f\x8b", "gzip", "gunzip"}, {"\x28\xb5\x2f\xfd", "zstd", "zstd -d"},
		{"\xfd7zXZ\x00", "xz", "unxz"}, {"BZh", "bzip2", "bunzip2"},
	} {
		if c.headers == 0 && bytes.HasPrefix(start[:n], []byte(z.magic)) {
			return misshapen("%w with %s: decompress it first (%s)", errCompressed, z.name, z.program)
		}
	}
	if c.headers > 0 {
		return misshapen("the tarball is cut off or spoiled after %d entries: %w", c.headers, err)
	}
	return misshapen("it is neither a folder nor a tarball: %w", err)
}

// look reads the tarball's headers.
func (t *tarball) look() error {
	f, _, err := t.current()
	if err != nil {
		return err
	}
	return f.Close()
}

// current opens the tarball, and reads its headers again if it has changed.
func (t *tarball) current() (*os.File, *contents, error) {
	f, err := openRegular(t.path)
	if err != nil {
		return nil, nil, err
	}
	c, err := t.lookAt(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, c, nil
}

func (t *tarball) lookAt(f *os.File) (*contents, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now == nil || !isSame(t.now.file, info) {
		if t.now, err = scan(f); err != nil {
			return nil, err
		}
	}
	return t.now, nil
}

// isSame reports that a file was neither replaced nor written to.
func isSame(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

type tarFile struct {
	io.Reader
	io.Closer
}

func (t *tarball) open(name string) (io.ReadCloser, error) {
	f, c, err := t.current()
	if err != nil {
		return nil, err
	}
	e, err := c.find(name)
	if err != nil {
		f.Close()
		return nil, err
	}
	return tarFile{io.NewSectionReader(f, e.at, e.size), f}, nil
}

func (c *contents) find(name string) (entry, error) {
	e, ok := c.entries[name]
	what := ""
	switch {
	case !ok:
		return e, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case e.kind == tar.TypeReg:
		return e, nil
	case e.kind == tar.TypeLink, e.kind == tar.TypeSymlink:
		what = "a link"
	case e.kind == tar.TypeGNUSparse:
		what = "a sparse file"
	default:
		what = fmt.Sprintf("of type %q", e.kind)
	}
	return e, misshapen("%s in the tarball is %s: want a file", name, what)
}
