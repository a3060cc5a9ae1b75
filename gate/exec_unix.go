//go:build unix

package gate

import (
	"os"
	"os/signal"
	"syscall"
)

// replaceProcess replaces this process with the program at path. If this program was started to ignore SIGHUP or SIGINT, the other
// ignores them, too. It returns only with an error.
func replaceProcess(path string, argv, environ []string) error {
	if len(ignoredAtStart) > 0 { // without any, Ignore means all
		signal.Ignore(ignoredAtStart...)
	}
	return &os.PathError{Op: "exec", Path: path, Err: syscall.Exec(path, argv, environ)} // #nosec G204 -- what the caller was asked to execute
}
