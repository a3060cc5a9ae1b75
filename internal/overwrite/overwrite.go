// Package overwrite has the rules for where a result goes and what it may be written over: what has a name by default
// replaces nothing; a file that the user names is replaced, unless it is an input.
package overwrite

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/runattest/runattest/internal/atomicfile"
)

// ExistsError says that a file is there which is not to be replaced. It is an fs.ErrExist.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string { return fmt.Sprintf("%s: %v", e.Path, fs.ErrExist) }

func (e *ExistsError) Unwrap() error { return fs.ErrExist }

// MustNotExist finds a file that is there already, or a link of that name: an *ExistsError.
func MustNotExist(paths ...string) error {
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return &ExistsError{path}
		}
	}
	return nil
}

// MustBeNew is MustNotExist for what Create writes.
func MustBeNew(path string) error {
	if isStream(path) {
		return nil
	}
	return MustNotExist(path)
}

// Create writes a result that replaces nothing: a file that must not exist yet, or to a pipe, a device or an open file, such as
// >(COMMAND) and /dev/fd/3, as atomicfile.Write does.
func Create(path string, data []byte, perm fs.FileMode) error {
	if isStream(path) {
		return atomicfile.Write(path, data, perm)
	}
	return atomicfile.Create(path, data, perm)
}

// isStream tells what is written to and not replaced.
func isStream(path string) bool {
	if _, open := atomicfile.Descriptor(path); open {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// CheckTarget finds, before anything is signed or asked for, that a result cannot be written: its folder is missing, or it is
// one itself. Standard output, - or no name, is always there.
func CheckTarget(target string) error {
	if target == "" || target == "-" {
		return nil
	}
	if info, err := os.Stat(target); err == nil && info.IsDir() || os.IsPathSeparator(target[len(target)-1]) {
		return fmt.Errorf("%s: is a folder, want a file", target)
	}
	return atomicfile.CheckFolder(target)
}

// CheckInputs keeps a result from being written over a file that the command reads.
func CheckInputs(target string, inputs ...string) error { return NewFiles(inputs...).Check(target) }

// Check is CheckInputs for these files.
func (f *Files) Check(target string) error {
	if input, _ := f.Find(target); input != "" {
		return fmt.Errorf("the result would overwrite %s, which is an input", input)
	}
	if target == "" || target == "-" {
		return nil
	}
	inside := target + string(filepath.Separator) + "file" // where it is a folder
	if folder := cmp.Or(Inside(target, f.folders...), Inside(inside, f.folders...)); folder != "" {
		return fmt.Errorf("the result would be in %s, which is an input", folder)
	}
	return nil
}

// CheckKey keeps a result from being written over the public key beside a private one, of the names that key pairs have.
func CheckKey(target, key string) error {
	if key == "" {
		return nil
	}
	for _, key := range []string{key, linked(key)} {
		for _, public := range []string{strings.TrimSuffix(key, filepath.Ext(key)) + ".pub", key + ".pub"} {
			if IsSameFile(target, public) {
				return fmt.Errorf("the result would overwrite %s, the public key beside %s", public, key)
			}
		}
	}
	return nil
}

// linked is where the links of a path lead.
func linked(path string) string {
	if there, err := filepath.EvalSymlinks(path); err == nil {
		return there
	}
	return path
}

// IsSameFile says that two names, or links, lead to one file that is there. What is not there cannot be lost, and neither
// can what standard output has, which is - or no name.
func IsSameFile(target, other string) bool {
	if target == "" || target == "-" {
		return false
	}
	a, err := os.Stat(target)
	if err != nil {
		return false
	}
	b, err := os.Stat(other)
	return err == nil && os.SameFile(a, b)
}

// IsSameName says that two paths are one name, also where no file is yet.
func IsSameName(a, b string) bool { return absolute(a) == absolute(b) }

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return filepath.Clean(path)
}
