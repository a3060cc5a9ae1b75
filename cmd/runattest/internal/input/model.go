package input

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Folder is a model's folder. Links in it are followed below it; from a snapshot in Hugging Face's cache
// (models--NAME/snapshots/COMMIT) below its repository's folder, since it holds links to ../../blobs.
func Folder(dir string) (fsys fs.FS, closeFolder func(), err error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	top, below := full, "."
	snapshots := filepath.Dir(full)
	if repository := filepath.Dir(snapshots); filepath.Base(snapshots) == "snapshots" && strings.HasPrefix(filepath.Base(repository), "models--") {
		top, below = repository, "snapshots/"+filepath.Base(full)
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, nil, err
	}
	fsys, err = fs.Sub(root.FS(), below)
	if err != nil {
		root.Close()
		return nil, nil, err
	}
	return fsys, func() { root.Close() }, nil
}
