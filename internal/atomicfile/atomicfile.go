// Package atomicfile writes files whole or not at all.
package atomicfile

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/runattest/runattest/internal/pathname"
)

// MissingFolderError says that there is no folder for a file. It is an fs.ErrNotExist.
type MissingFolderError struct{ Path, Folder string }

func (e *MissingFolderError) Error() string {
	return fmt.Sprintf("%s: there is no folder %s", e.Path, e.Folder)
}

func (e *MissingFolderError) Unwrap() error { return fs.ErrNotExist }

// CheckFolder finds, before there is anything to write to path, that its folder is missing, a *MissingFolderError, is a file, or that no
// file can be made in it: it may be read-only.
func CheckFolder(path string) error {
	folder := pathname.Folder(path)
	switch info, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist):
		return &MissingFolderError{path, linked(folder)}
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s: %s is not a folder", path, folder)
	}
	if n, _ := descriptor(path); n >= 0 { // is written to as it is
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if file, err := follow(path); err == nil {
		folder = pathname.Folder(file)
	}
	if err := access(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no file can be written in the folder %s: %w", path, folder, err)
	}
	return nil
}

// MakeFolder makes a folder, and those that it is in. A link that leads to nothing in its place is a *MissingFolderError: no folder is
// made where a link leads.
func MakeFolder(path string) error {
	err := os.MkdirAll(path, 0o755)
	if err == nil {
		return nil
	}
	for at := path; ; at = pathname.Folder(at) {
		if _, missing := os.Stat(at); missing == nil || at == pathname.Folder(at) {
			return err
		}
		if info, lstatErr := os.Lstat(at); lstatErr == nil && info.Mode()&fs.ModeSymlink != 0 {
			return &MissingFolderError{path, linked(at)}
		}
	}
}

// linked is where links lead from a folder that is not there: mkdir makes none at a link.
func linked(folder string) string {
	for range 40 { // as the system follows
		to, err := os.Readlink(folder)
		if err != nil {
			break
		}
		if above, err := filepath.EvalSymlinks(filepath.Dir(folder)); err == nil && above != "." && !filepath.IsAbs(to) {
			to = above + string(filepath.Separator) + to // uncleaned: .. behind a link leads out of its target
		}
		folder = to
	}
	return folder
}

var access = mayWrite // tests have it fail

// Write puts data at path through a temporary file in the same folder, synced and
// renamed: a reader finds the old file or the new one, never a part.
// An existing file is replaced and keeps its permissions; perm (before umask) is for a new one.
// A path of an open file is written to: see WriteFunc.
func Write(path string, data []byte, perm fs.FileMode) error {
	return WriteFunc(path, whole(data), perm)
}

func whole(data []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(data); return err }
}

// WriteFunc is Write for data that is not in memory: content writes it. If content fails, the old file stays. Through a path
// such as /dev/fd/1 it writes to the file that is open there, and replaces nothing.
func WriteFunc(path string, content func(w io.Writer) error, perm fs.FileMode) error {
	if n, own := descriptor(path); n >= 0 {
		return writeOpen(path, n, own, content)
	}
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	exists := err == nil
	if exists && !info.Mode().IsRegular() {
		return writeThrough(path, content, info)
	}
	if path, err = follow(path); err != nil {
		return err
	}
	if exists {
		perm = info.Mode().Perm()
	}
	tmp, err := writeTemp(path, content, perm)
	if err != nil {
		return err
	}
	if exists { // beyond what umask left
		err = os.Chmod(tmp, info.Mode().Perm())
	}
	if err == nil {
		err = Replace(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(pathname.Folder(path))
}

// ErrMounted says that a file is a mount point, such as a single file that is mounted into a container: a new file
// cannot take its place, and writing into it could leave a part.
var ErrMounted = errors.New("is mounted by itself, and cannot be replaced as a whole")

var rename = os.Rename // tests have it fail

// Replace gives a temporary file the name of the file that it replaces, in the same folder. It says which one is ErrMounted.
func Replace(tmp, path string) error {
	err := rename(tmp, path)
	if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) {
		return fmt.Errorf("%s: %w (%w)", path, ErrMounted, errors.Unwrap(err))
	}
	return err
}

// beside is the path of another file in the folder of a file.
func beside(path, name string) string {
	dir, _ := filepath.Split(path)
	return dir + name
}

// links is the largest number of symbolic links on a path, as in the kernel.
const links = 40

// follow resolves the symbolic links of a path. The file may not exist yet. So a link stays a link, and its target is
// written.
func follow(path string) (string, error) {
	for range links {
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil // not a link, or not there: writing reports what is wrong
		}
		if !filepath.IsAbs(target) {
			folder, err := filepath.EvalSymlinks(pathname.Folder(path))
			if err != nil {
				return "", err
			}
			target = folder + string(filepath.Separator) + target
		}
		path = target
	}
	return "", &fs.PathError{Op: "write", Path: path, Err: errors.New("too many links")}
}

// Create is Write for a file that must not exist yet: it fails with fs.ErrExist and
// leaves the other file as it is, even if that appeared in between.
func Create(path string, data []byte, perm fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	tmp, err := writeTemp(path, whole(data), perm)
	if err != nil {
		return err
	}
	linkErr := os.Link(tmp, path)
	if err := os.Remove(tmp); err != nil {
		return err
	}
	switch {
	case linkErr == nil:
		return syncDir(pathname.Folder(path))
	case errors.Is(linkErr, fs.ErrExist):
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	return createWithoutLink(path, data, perm)
}

// createWithoutLink serves file systems without hard links; O_EXCL still never overwrites.
func createWithoutLink(path string, data []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if err := fill(f, whole(data)); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncDir(pathname.Folder(path))
}

// writeThrough serves pipes and devices such as /dev/stdout, which cannot be replaced.
func writeThrough(path string, content func(io.Writer) error, info fs.FileInfo) error {
	if info.IsDir() {
		return fmt.Errorf("%s: is a folder, want a file", path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = content(f)
	return errors.Join(err, f.Close())
}

// writeTemp writes a file beside path under a random name.
func writeTemp(path string, content func(io.Writer) error, perm fs.FileMode) (name string, err error) {
	name = beside(path, ".runattest-"+rand.Text()+".tmp")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		failed.Path = path // the name that the caller gave
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = cmp.Or(CheckFolder(path), err)
	}
	if err != nil {
		return "", err
	}
	if err := fill(f, content); err != nil {
		return "", errors.Join(err, os.Remove(name))
	}
	return name, nil
}

func fill(f *os.File, content func(io.Writer) error) error {
	err := content(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the new name durable; not every platform can open a folder.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	_ = d.Sync() // refused by some file systems, which have nothing better to offer
	return d.Close()
}
