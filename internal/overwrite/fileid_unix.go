//go:build unix

package overwrite

import (
	"os"
	"syscall"
)

// fileID is equal for infos of one file.
type fileID struct{ device, inode uint64 }

func idOf(info os.FileInfo) fileID {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fileID{uint64(s.Dev), uint64(s.Ino)}
	}
	return fileID{}
}

// hasOneName says that a file is known to have no hard link besides its name.
func hasOneName(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Nlink == 1
}
