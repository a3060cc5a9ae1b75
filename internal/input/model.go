package input

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// resolve is a folder's path without links: a link may lead to a snapshot.
func resolve(dir string) (string, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(full)
}

// repositoryOf is the folder of a repository in Hugging Face's cache to which a snapshot belongs.
func repositoryOf(full string) (string, bool) {
	snapshots := filepath.Dir(full)
	repository := filepath.Dir(snapshots)
	return repository, filepath.Base(snapshots) == "snapshots" && strings.HasPrefix(filepath.Base(repository), "models--")
}

// Snapshot is the name and the commit of the model whose snapshot in Hugging Face's cache a folder is, or leads to:
// models--ORGANISATION--NAME/snapshots/COMMIT.
func Snapshot(dir string) (model, commit string, err error) {
	full, err := resolve(dir)
	if err != nil {
		return "", "", err
	}
	repository, ok := repositoryOf(full)
	parts := strings.Split(strings.TrimPrefix(filepath.Base(repository), "models--"), "--")
	commit = filepath.Base(full)
	if raw, err := hex.DecodeString(commit); !ok || err != nil || len(raw) != 20 || len(parts) > 2 || slices.Contains(parts, "") {
		return "", "", fmt.Errorf("%s: the path is not that of a snapshot in Hugging Face's cache, models--ORGANISATION--NAME/snapshots/COMMIT", dir)
	}
	return strings.Join(parts, "/"), commit, nil
}

// Folder is a model's folder. Links in it are followed below it; from a snapshot in Hugging Face's cache
// (models--NAME/snapshots/COMMIT) below its repository's folder, since it holds links to ../../blobs.
func Folder(dir string) (fsys fs.FS, closeFolder func(), err error) {
	full, err := resolve(dir)
	if err != nil {
		return nil, nil, err
	}
	top, below := full, "."
	if repository, ok := repositoryOf(full); ok {
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
