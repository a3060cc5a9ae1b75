//go:build unix

package atomicfile

import "golang.org/x/sys/unix"

// mayWrite says why this process cannot make files in a folder; nil if it may, or where that is not known.
func mayWrite(folder string) error {
	return unix.Faccessat(unix.AT_FDCWD, folder, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}
