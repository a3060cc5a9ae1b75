package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/runattest/runattest/internal/pathname"
)

// disk is what a journal is written to. Tests put one in its place that fails or stalls.
type disk interface {
	// Create makes a file with mode 0600, in the place of the one that is there.
	Create(path string) (file, error)
	Rename(from, to string) error
	// SyncFolder makes names durable.
	SyncFolder(dir string) error
}

// file is an open file. Sync need not make durable when it was changed.
type file interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Close() error
	Stat() (fs.FileInfo, error)
}

// osDisk is the disk of the operating system.
type osDisk struct{}

var _ disk = osDisk{}

func (osDisk) Create(path string) (file, error) {
	if err := removeIfThere(path); err != nil { // it may be a link
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// osFile is a file whose Sync is fdatasync, where there is one.
type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

// extent is a file that is written at its end, before which zero bytes were written and synced: so that a sync changes no
// metadata. After an error it is not written again: the next sync may return without one, and lie.
type extent struct {
	path string
	f    file
	end  int64 // of what was written and synced
	size int64 // of the file
}

// newExtent makes a file of zero bytes.
func newExtent(d disk, path string, chunk int64) (*extent, error) {
	f, err := d.Create(path)
	if err != nil {
		return nil, err
	}
	e := &extent{path: path, f: f}
	if err := e.allocate(chunk); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return e, nil
}

var zeros [256 << 10]byte

// allocate writes zero bytes behind the file, and syncs them.
func (e *extent) allocate(n int64) error {
	for n > 0 {
		some := min(n, int64(len(zeros)))
		if _, err := e.f.WriteAt(zeros[:some], e.size); err != nil {
			return err
		}
		e.size += some
		n -= some
	}
	return e.f.Sync()
}

// append writes data at the end, and syncs it. It fails if the file is no longer where it was made: what would be written
// to it then could not be found.
func (e *extent) append(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if _, err := e.f.WriteAt(data, e.end); err != nil {
		return err
	}
	if err := e.f.Sync(); err != nil {
		return err
	}
	return e.checkThere()
}

// grown says that data was appended. Both files of a segment have grown, or neither.
func (e *extent) grown(n int) {
	e.end += int64(n)
	e.size = max(e.size, e.end)
}

var errMoved = errors.New("was removed or replaced")

func (e *extent) checkThere() error {
	there, err := os.Lstat(e.path)
	if err != nil {
		return err
	}
	open, err := e.f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(there, open) {
		return &fs.PathError{Op: "write", Path: e.path, Err: errMoved}
	}
	return nil
}

// ahead allocates more where little is left.
func (e *extent) ahead(chunk int64) error {
	if e.size-e.end > chunk/2 {
		return nil
	}
	return e.allocate(chunk)
}

// files are a segment's two.
type files struct{ lines, declarations *extent }

const (
	spareLines        = "spare.jsonl"
	spareDeclarations = "spare.declarations.jsonl"
)

// newFiles makes the files of a segment to come.
func newFiles(d disk, dir string, chunk int64) (*files, error) {
	lines, err := newExtent(d, pathname.In(dir, spareLines), chunk)
	if err != nil {
		return nil, err
	}
	declarations, err := newExtent(d, pathname.In(dir, spareDeclarations), chunk)
	if err != nil {
		return nil, errors.Join(err, lines.f.Close())
	}
	return &files{lines, declarations}, nil
}

// name gives the files the names of a segment.
func (f *files) name(d disk, dir string, number int) error {
	for _, one := range []struct {
		file *extent
		name string
	}{{f.declarations, declarationsName(number)}, {f.lines, linesName(number)}} {
		to := pathname.In(dir, one.name)
		if err := d.Rename(one.file.path, to); err != nil {
			return err
		}
		one.file.path = to
	}
	return d.SyncFolder(dir)
}

// append writes lines and their declarations at the same time.
func (f *files) append(lines, declarations []byte) error {
	beside := make(chan error, 1)
	if len(declarations) > 0 {
		go func() { beside <- f.declarations.append(declarations) }()
	} else {
		beside <- nil
	}
	err := f.lines.append(lines)
	if err = errors.Join(err, <-beside); err != nil {
		return err
	}
	f.lines.grown(len(lines))
	f.declarations.grown(len(declarations))
	return nil
}

func (f *files) ahead(chunk int64) error {
	return errors.Join(f.lines.ahead(chunk), f.declarations.ahead(chunk))
}

func (f *files) close() error { return errors.Join(f.lines.f.Close(), f.declarations.f.Close()) }
