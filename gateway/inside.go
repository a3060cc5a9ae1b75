package gateway

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/runattest/runattest/internal/pathname"
)

// isInside says that a path is a folder or in it, whether or not they are there: relative paths start from the working directory,
// and links are followed.
func isInside(path, folder string) bool {
	rel, err := filepath.Rel(realPath(folder), realPath(path))
	return err == nil && filepath.IsLocal(rel)
}

// realPath is the absolute path without links, as far as it is there.
func realPath(path string) string {
	path, err := pathname.Abs(path)
	if err != nil {
		return path
	}
	return followLinks(path)
}

func followLinks(path string) string {
	there, err := filepath.EvalSymlinks(path)
	if err == nil {
		return there
	}
	if dir := pathname.Folder(path); errors.Is(err, fs.ErrNotExist) && dir != path {
		return filepath.Join(followLinks(dir), filepath.Base(path))
	}
	return path
}
