package boundedfile

import (
	"path/filepath"
	"strings"
)

// FolderOf is the folder of a file, from which paths in it start, as the system finds it: .. behind a link leads out of its target,
// and not out of the link's folder.
func FolderOf(path string) string {
	dir, _ := filepath.Split(path)
	if strings.Contains(dir, "..") {
		if folder, err := filepath.EvalSymlinks(dir); err == nil {
			return folder
		}
	}
	return filepath.Dir(path)
}
