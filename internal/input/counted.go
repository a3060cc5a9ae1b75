package input

import (
	"io"
	"io/fs"
	"sync"
)

// Counted is a folder whose files write what is read of them to count as well, one at a time.
func Counted(fsys fs.FS, count io.Writer) fs.FS { return &counted{fsys: fsys, count: count} }

type counted struct {
	fsys  fs.FS
	mu    sync.Mutex
	count io.Writer
}

var (
	_ fs.StatFS    = (*counted)(nil)
	_ fs.ReadDirFS = (*counted)(nil)
)

func (c *counted) Open(name string) (fs.File, error) {
	f, err := c.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	return &countedFile{f, c}, nil
}

// Stat and ReadDir open no file, as those of the folder do not: to open a pipe may take for ever.
func (c *counted) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(c.fsys, name) }
func (c *counted) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(c.fsys, name) }

type countedFile struct {
	fs.File
	in *counted
}

func (f *countedFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	_, _ = f.in.count.Write(p[:n]) // which is shown, and decides nothing
	return n, err
}
