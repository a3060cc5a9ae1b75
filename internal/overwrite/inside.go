package overwrite

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Inside is the first of the folders in which, or below which, a result would be written, links followed; "" for none. The name
// of the result counts, and what it leads to where it is a link.
func Inside(target string, folders ...string) string {
	places := Trail(target)
	for _, f := range folders {
		folder, err := os.Stat(f)
		if err != nil {
			continue
		}
		for _, place := range places {
			if IsBelow(place, folder) {
				return f
			}
		}
	}
	return ""
}

// IsBelow says that a path without links is below a folder, which may have a second name: in other letters, or by a mount.
func IsBelow(path string, folder os.FileInfo) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if there, err := os.Stat(dir); err == nil && os.SameFile(folder, there) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// Trail are the places of a file, in folders without links: that of its name, and where that is a link, those that it leads to one
// after the other. Writing to a link makes a file at the last of them, if none is there. What is in no folder has no place: writing
// it says why.
func Trail(path string) []string {
	const links = 40 // as in the kernel
	var all []string
	for range links {
		dir, name := filepath.Split(path) // as it is: .. behind a link leads out of its target
		folder, err := realSoFar(cmp.Or(dir, "."))
		if err != nil {
			break
		}
		place := filepath.Join(folder, name)
		all = append(all, place)
		if path, err = os.Readlink(place); err != nil {
			break
		}
		if !filepath.IsAbs(path) {
			path = folder + string(filepath.Separator) + path
		}
	}
	return all
}

// HoldsLink says that a file has a second name that is in the folder or below it: a hard link.
func HoldsLink(folder, path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || hasOneName(info) {
		return false
	}
	holds := false
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // who reads the folder says what cannot be read
		}
		if there, err := entry.Info(); err == nil && os.SameFile(info, there) {
			holds = true
			return fs.SkipAll
		}
		return nil
	})
	return holds
}

// realSoFar is real of the part of a path that is there, with the folders behind it that are yet to be made.
func realSoFar(path string) (string, error) {
	folder, err := real(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return folder, err
	}
	dir, name := filepath.Split(strings.TrimRight(path, string(filepath.Separator)))
	if name == "" || name == ".." || dir == path {
		return "", err
	}
	if folder, err = realSoFar(cmp.Or(dir, ".")); err != nil {
		return "", err
	}
	return filepath.Join(folder, name), nil
}

// real is the absolute path without links.
func real(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path) // the working directory may have a name with links
}
