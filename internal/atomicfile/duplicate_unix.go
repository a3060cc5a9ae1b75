//go:build unix

package atomicfile

import (
	"os"
	"syscall"
)

// duplicate is an open file under another number, which can be closed.
func duplicate(n int, name string) (*os.File, error) {
	d, err := syscall.Dup(n)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(d), name), nil
}
