//go:build unix

package gate

import (
	"os"
	"syscall"
)

// openAtOnce is for opening what may have become a pipe: it does not wait for the other end.
const openAtOnce = syscall.O_NONBLOCK

// Exec replaces this process with the program at path. It returns only with an error.
func Exec(path string, argv, environ []string) error {
	return &os.PathError{Op: "exec", Path: path, Err: syscall.Exec(path, argv, environ)} // #nosec G204 -- what the caller was asked to execute
}
