package input

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/runattest/runattest/internal/boundedfile"
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
	if info, err := os.Stat(full); err != nil {
		return nil, nil, err
	} else if !info.IsDir() { // OpenRoot waits for the writer of a pipe
		return nil, nil, &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, nil, err
	}
	return &modelFolder{root, below}, func() { root.Close() }, nil
}

// modelFolder is a folder in a root, below which its links are followed. It waits for no pipe: Stat opens nothing, which that of
// fs.Sub does, and Open opens files and folders alone.
type modelFolder struct {
	root  *os.Root
	below string
}

var _ fs.StatFS = (*modelFolder)(nil)

func (f *modelFolder) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	info, err := f.root.Stat(path.Join(f.below, name))
	return info, about(name, err)
}

func (f *modelFolder) Open(name string) (fs.File, error) {
	info, err := f.Stat(name) // before it is opened, which devices take for a command
	if err != nil {
		return nil, err
	}
	if !isPlain(info) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errSpecial}
	}
	file, err := f.root.OpenFile(path.Join(f.below, name), os.O_RDONLY|boundedfile.OpenAtOnce, 0)
	if err != nil {
		return nil, about(name, err)
	}
	if info, err = file.Stat(); err == nil && !isPlain(info) { // by now
		err = &fs.PathError{Op: "open", Path: name, Err: errSpecial}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

var errSpecial = errors.New("is neither a file nor a folder")

func isPlain(info fs.FileInfo) bool { return info.Mode().IsRegular() || info.IsDir() }

// about has an error name a file as the caller does, and not as the root.
func about(name string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		pe.Path = name
	}
	return err
}
