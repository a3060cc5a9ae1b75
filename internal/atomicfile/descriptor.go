package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// descriptorFolder matches the folders whose files are the open files of a process; the submatch is its number.
var descriptorFolder = lazyregexp.New(`^(?:/dev/fd|/proc/([0-9]+)/(?:task/[0-9]+/)?fd)$`)

// descriptorsOf is the match of descriptorFolder, nil for another folder.
func descriptorsOf(folder string) []string {
	if filepath.Base(folder) != "fd" { // which is less work than to compile the expression
		return nil
	}
	return descriptorFolder.FindStringSubmatch(folder)
}

// Descriptor is the number of the open file of this process that a path leads to, as /dev/stdout, /dev/fd/3 and
// /proc/self/fd/3 do.
func Descriptor(path string) (n int, ok bool) {
	n, own := descriptor(path)
	return n, own && n >= 0
}

// descriptor is -1 for a path that leads to no open file; own says whether the file is that of this process.
func descriptor(path string) (n int, own bool) {
	for range links {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return -1, false
		}
		folder, err := filepath.EvalSymlinks(filepath.Dir(absolute))
		if err != nil {
			return -1, false
		}
		if m := descriptorsOf(folder); m != nil {
			if n, err := strconv.Atoi(filepath.Base(absolute)); err == nil && n >= 0 {
				return n, m[1] == "" || isSelf(m[1])
			}
		}
		target, err := os.Readlink(absolute)
		if err != nil {
			return -1, false
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		path = target
	}
	return -1, false
}

func isSelf(process string) bool {
	self, err := os.Readlink("/proc/self") // which differs from Getpid where /proc is that of another namespace
	return err == nil && self == process
}

// writeOpen writes to what a process holds open: a file that a shell redirects to keeps what it has, and the place at which
// its holder writes on.
func writeOpen(path string, n int, own bool, content func(io.Writer) error) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !own {
		if !info.Mode().IsRegular() {
			return writeThrough(path, content, info)
		}
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is a file that another process holds open, want its own name")}
	}
	f, err := duplicate(n, path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	err = content(f)
	return errors.Join(err, f.Close())
}
