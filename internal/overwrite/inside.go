package overwrite

import (
	"path/filepath"
	"strings"
)

// Inside is the first of the folders in which, or below which, a result would be written, links followed; "" for none.
func Inside(target string, folders ...string) string {
	parent, err := real(filepath.Dir(target))
	if err != nil {
		return "" // writing it says why
	}
	for _, f := range folders {
		if folder, err := real(f); err == nil && within(parent, strings.TrimSuffix(folder, "/")) {
			return f
		}
	}
	return ""
}

// real is the absolute path without links.
func real(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
