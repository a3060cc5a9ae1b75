package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/runattest/runattest/internal/atomicfile"
)

// Check says why Open would refuse a folder, as far as that is known without making, locking or repairing anything: a file in its
// place, a folder that is not writable or that other users can enter, one that holds something else, or links in the place of
// files that Open writes to. It does not know whether another process writes to the journal, and does not look for damage in its
// segments.
func Check(dir string) error {
	if dir == "" {
		return errNoFolder
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return checkMakeable(dir)
	}
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	}
	if err == nil {
		err = checkPrivate(dir, info)
	}
	if err == nil {
		err = atomicfile.CheckFolder(filepath.Join(dir, lockName))
	}
	if err == nil {
		_, _, err = lookInto(dir)
	}
	if err == nil {
		err = checkOwn(filepath.Join(dir, lockName))
	}
	if err != nil {
		return err
	}
	l, err := list(dir)
	if err != nil {
		return err
	}
	return checkUnsigned(dir, l)
}

// checkMakeable says why a folder that is not there cannot be made with those above it.
func checkMakeable(dir string) error {
	for {
		if _, err := os.Lstat(dir); err == nil { // a link to what is not there
			return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
		}
		above := filepath.Dir(dir)
		info, err := os.Stat(above)
		switch {
		case errors.Is(err, fs.ErrNotExist) && above != dir:
			dir = above
			continue
		case err != nil:
			return err
		case !info.IsDir():
			return &fs.PathError{Op: "mkdir", Path: above, Err: syscall.ENOTDIR}
		}
		return atomicfile.CheckFolder(dir)
	}
}
