package policy

import (
	"crypto/sha256"
	"errors"
	"path/filepath"
	"strings"

	"github.com/runattest/runattest/internal/boundedfile"
)

// File is a file that a policy refers to, by the path that it has in the policy. What the
// policy says depends on it as on the policy itself.
type File struct {
	Path   string
	SHA256 [sha256.Size]byte
}

// folder reads the files beside a policy, and remembers them.
type folder struct {
	dir   string
	files []File
	paths []string // where these are
}

// read reads a file below the folder; path has slashes, and leads nowhere else.
func (f *folder) read(path string, limit int64) ([]byte, error) {
	switch {
	case f.dir == "":
		return nil, errors.New("the policy refers to a file, and was given without its folder")
	case !filepath.IsLocal(filepath.FromSlash(path)) || strings.ContainsRune(path, '\\'):
		return nil, errors.New("want the path of a file below the policy's folder, so that the two can be moved and signed together")
	}
	at := filepath.Join(f.dir, filepath.FromSlash(path))
	data, err := boundedfile.ReadRegular(at, limit)
	if err != nil {
		return nil, err
	}
	file := File{path, sha256.Sum256(data)}
	for _, known := range f.files {
		if known == file {
			return data, nil
		}
	}
	f.files, f.paths = append(f.files, file), append(f.paths, at)
	return data, nil
}
