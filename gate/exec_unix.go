//go:build unix

package gate

import (
	"os"
	"syscall"
)

// Exec replaces this process with the program at path. It returns only with an error.
func Exec(path string, argv, environ []string) error {
	return &os.PathError{Op: "exec", Path: path, Err: syscall.Exec(path, argv, environ)} // #nosec G204 -- what the caller was asked to execute
}
