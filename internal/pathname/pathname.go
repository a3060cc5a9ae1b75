// Package pathname takes names of files apart, and joins them, as the system reads them: .. behind a link leads out of what the link leads
// to, and not out of the folder that the link is in, as package filepath has it.
package pathname

import (
	"os"
	"path/filepath"
	"strings"
)

// Folder is the folder of a file.
func Folder(path string) string {
	dir, _ := filepath.Split(path)
	if !strings.Contains(dir, "..") {
		return filepath.Dir(path)
	}
	return trim(dir)
}

// Start is the folder of a file, from which names in the file start: filepath.Join may be given it.
func Start(path string) string {
	dir, _ := filepath.Split(path)
	if strings.Contains(dir, "..") {
		if folder, err := filepath.EvalSymlinks(dir); err == nil {
			return folder
		}
	}
	return filepath.Dir(path)
}

// In is the file that a name with slashes names from a folder.
func In(folder, name string) string {
	name = filepath.FromSlash(name)
	if folder == "" || !strings.Contains(folder+name, "..") {
		return filepath.Join(folder, name)
	}
	return trim(folder) + string(filepath.Separator) + name
}

// From is the file that a text in a folder names, with slashes, from that folder or absolute. The name may lead out of the folder.
func From(folder, name string) string {
	name = filepath.FromSlash(name)
	switch {
	case filepath.IsAbs(name):
		return name
	case !strings.Contains(folder+name, ".."):
		return filepath.Join(folder, name)
	}
	return trim(folder) + string(filepath.Separator) + name
}

// Abs is a name that does not depend on the working directory.
func Abs(path string) (string, error) {
	if !strings.Contains(path, "..") || os.PathSeparator == '\\' { // Windows resolves .. as filepath does, and has other relative names
		return filepath.Abs(path)
	}
	if filepath.IsAbs(path) {
		return path, nil
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return In(here, path), nil
}

func trim(folder string) string {
	end := len(folder)
	for end > 1 && os.IsPathSeparator(folder[end-1]) {
		end--
	}
	return folder[:end]
}
