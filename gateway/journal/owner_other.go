//go:build !unix

package journal

import "io/fs"

// checkOwner accepts every folder: a journal is not written on this system.
func checkOwner(fs.FileInfo, int) error { return nil }
