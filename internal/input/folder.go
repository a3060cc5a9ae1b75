package input

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
)

// Lineage gives the bundles in a file as Bundles does, or those in a folder and the folders in it: each
// file *.sigstore.json, *.sigstore.jsonl, *.runproof.json and *.runset.jsonl, in the order of their names. Links to files are
// followed, and links to folders as walk does. An error about one file or folder does not end the sequence.
//
// bundles reads a file, as Bundles does.
func Lineage(path string, stdin io.Reader, bundles func(path string, stdin io.Reader) iter.Seq2[Blob, error]) iter.Seq2[Blob, error] {
	if info, err := os.Stat(path); path == Stdin || err != nil || !info.IsDir() {
		return bundles(path, stdin)
	}
	return func(yield func(Blob, error) bool) {
		found := false
		_ = walk(path, func(file string, entry fs.DirEntry, err error) error { // whose only error is SkipAll's
			if err == nil && !isBundle(entry) {
				return nil
			}
			found = true
			if err == nil {
				err = regular(file)
			}
			if err != nil {
				if !yield(Blob{Name: file}, err) {
					return fs.SkipAll
				}
				return nil
			}
			for blob, err := range bundles(file, stdin) {
				if !yield(blob, err) {
					return fs.SkipAll
				}
			}
			return nil
		})
		if !found {
			yield(Blob{Name: path}, fmt.Errorf("%s: no file *.sigstore.json, *.sigstore.jsonl, *.runproof.json or *.runset.jsonl in this folder; name files of another kind themselves", path))
		}
	}
}

func isBundle(entry fs.DirEntry) bool {
	return !entry.IsDir() && IsBundleName(strings.ToLower(entry.Name()))
}

// IsBundleName tells the names that files of bundles have, in lower case.
func IsBundleName(name string) bool {
	ends := func(suffix string) bool { return strings.HasSuffix(name, suffix) }
	return slices.ContainsFunc([]string{".sigstore.json", ".sigstore.jsonl", ".runproof.json", ".runset.jsonl"}, ends)
}

// regular refuses files in a folder that could block: pipes, devices, sockets.
func regular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file; name it on the command line to read it", path)
	}
	return nil // what else is wrong with it, opening it says
}

// Named gives the file at a path, or all files of this name in the folder there and below it, and in folders that are linked there,
// which may be none.
func Named(path, name string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, nil // reading it says what is wrong
	}
	var found []string
	err = walk(path, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() == name {
			found = append(found, file)
		}
		return err
	})
	return found, err
}
