package journal

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"syscall"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/pathname"
)

// Check says why Open would refuse a folder, as far as that is known without making, locking or repairing anything: a file in its
// place, a folder that is not writable or that other users can enter, one that holds something else, or links in the place of
// files that Open writes to, and damage in the bundles of its segments and in the last that is signed. It does not know whether
// another process writes to the journal, and does not look into the segments behind that. Of the options AcceptDamage counts.
func Check(dir string, o Options) error {
	if dir == "" {
		return errNoFolder
	}
	dir, err := pathname.Abs(dir)
	if err != nil {
		return err
	}
	var id [sha256.Size]byte
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
		err = atomicfile.CheckFolder(pathname.In(dir, lockName))
	}
	if err == nil {
		id, _, err = lookInto(dir)
	}
	if err == nil {
		err = checkOwn(pathname.In(dir, lockName))
	}
	if err != nil {
		return err
	}
	l, err := list(dir)
	if err != nil {
		return err
	}
	if err := checkUnsigned(dir, l); err != nil || len(l.numbers) == 0 {
		return err
	}
	r := &recovery{dir: dir, id: id, accept: o.AcceptDamage, log: slog.New(slog.DiscardHandler)}
	_, err = r.checkSegments(l)
	return err
}

// checkMakeable says why a folder that is not there cannot be made with those above it.
func checkMakeable(dir string) error {
	for {
		if _, err := os.Lstat(dir); err == nil { // a link to what is not there
			return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
		}
		above := pathname.Folder(dir)
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

// Damage says what of the signed segments is not as a gateway writes it, without verifying a signature: a segment that is missing, a bundle
// that is not the segment's or does not follow the one before, or other lines than the bundle is about. The error is a *DamageError
// for the first that is found.
func Damage(dir string) error {
	id, err := readID(dir)
	if err != nil {
		return err
	}
	l, err := list(dir)
	if err != nil || len(l.numbers) == 0 {
		return err
	}
	r := &recovery{dir: dir, id: id, log: slog.New(slog.DiscardHandler)}
	if _, err := r.checkSegments(l); err != nil {
		return err
	}
	for _, number := range l.numbers {
		if l.closed[number] {
			h, err := r.readHead(number)
			if err == nil {
				err = r.checkFile(number, h)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
