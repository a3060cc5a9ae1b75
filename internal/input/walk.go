package input

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
)

// walk gives each file in a folder and below it, in the order of their names, and then each in the folders to which links there
// lead. It reads a folder once, whichever names lead to it, so that there is no loop. A link that leads nowhere and a folder that
// cannot be read are errors, after which walk goes on unless each returns one; so is the first of too many linked folders, after
// which it follows no more links. An error that each returns ends the walk and is returned, except for fs.SkipAll.
func walk(folder string, each func(path string, entry fs.DirEntry, err error) error) error {
	w := walker{each: each, links: []string{folder}, most: limits.LinkedFolders}
	return w.walk()
}

// A walker is a walk under way.
type walker struct {
	each   func(path string, entry fs.DirEntry, err error) error
	read   overwrite.Files // the folders
	links  []string        // to folders that are still to be read
	linked bool            // what is read now is behind a link
	count  int             // of the folders behind links
	most   int             // of them
	err    error           // that ended the walk
}

func (w *walker) walk() error {
	for len(w.links) > 0 && w.err == nil {
		next := w.links[0]
		w.links = w.links[1:]
		_ = filepath.WalkDir(next+string(filepath.Separator), w.visit) // whose error is w.err
		w.linked = true
	}
	if errors.Is(w.err, fs.SkipAll) {
		return nil
	}
	return w.err
}

func (w *walker) visit(path string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
	case entry.IsDir():
		return w.folder(path, entry)
	case entry.Type()&fs.ModeSymlink != 0:
		var info fs.FileInfo
		if info, err = os.Stat(path); err != nil {
			err = &linkError{path, err}
		} else if info.IsDir() {
			w.links = append(w.links, path)
			return nil
		}
	}
	return w.tell(path, entry, err)
}

func (w *walker) folder(path string, entry fs.DirEntry) error {
	if name, _ := w.read.Find(path); name != "" {
		return fs.SkipDir
	}
	w.read.Add(path)
	if !w.linked {
		return nil
	}
	if w.count++; w.count <= w.most {
		return nil
	}
	w.links = nil
	if err := w.tell(path, entry, fmt.Errorf("%s: links lead to more than %d folders", path, w.most)); err != nil {
		return err
	}
	return fs.SkipAll // of this link
}

// tell keeps what ends the walk, since WalkDir does not return fs.SkipAll.
func (w *walker) tell(path string, entry fs.DirEntry, err error) error {
	w.err = w.each(path, entry, err)
	return w.err
}

// A linkError is what is wrong with a link. It wraps the error of the file system.
type linkError struct {
	path string
	err  error
}

func (e *linkError) Error() string {
	reason := e.err
	if pe, ok := errors.AsType[*fs.PathError](e.err); ok {
		reason = pe.Err // without the path, which is named already
	}
	return fmt.Sprintf("%s: is a link that leads to no file or folder: %v", e.path, reason)
}

func (e *linkError) Unwrap() error { return e.err }
