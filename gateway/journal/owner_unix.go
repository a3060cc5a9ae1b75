//go:build unix

package journal

import (
	"fmt"
	"io/fs"
	"syscall"
)

// checkOwner refuses a folder that does not belong to the user: its owner can read and change all that is written there.
func checkOwner(info fs.FileInfo, uid int) error {
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != uid {
		return fmt.Errorf("belongs to user %d, want %d, the user of this process", s.Uid, uid)
	}
	return nil
}
