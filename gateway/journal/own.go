package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/runattest/runattest/internal/pathname"
)

// What is written to is a file in the folder itself. A link may lead out of it, where a file that is none of the journal's would be
// emptied, cut or overwritten.

var (
	errLink  = errors.New("is a symbolic link, and the journal is not written through links: put the file itself in its place")
	errOther = errors.New("is not a regular file, and the journal has one of that name")
)

// checkOwn says why a file of the folder is not written to; nil where it may be, and where it is not there.
func checkOwn(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s: %w", path, errLink)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: %w", path, errOther)
	}
	return nil
}

// openOwn opens a file of the folder to write to it, and does not empty it.
func openOwn(path string, flag int) (*os.File, error) {
	if err := checkOwn(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	there, err := os.Lstat(path)
	if err == nil {
		var open fs.FileInfo
		if open, err = f.Stat(); err == nil && !os.SameFile(there, open) {
			err = fmt.Errorf("%s: %w", path, errMoved)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkUnsigned checks the files of the segments that are not signed: recovery cuts or removes them.
func checkUnsigned(dir string, l *listing) error {
	signed := l.lastClosed()
	for _, number := range l.numbers {
		if number <= signed {
			continue
		}
		for _, name := range []string{linesName(number), declarationsName(number)} {
			if err := checkOwn(pathname.In(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
