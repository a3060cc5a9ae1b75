//go:build !unix

package gate

import (
	"errors"
	"os"
	"os/exec"
)

// replaceProcess runs the program at path as a child, since this system cannot replace a process, and ends
// this process with its exit code. It returns only with an error.
func replaceProcess(path string, argv, environ []string) error {
	cmd := exec.Command(path, argv[1:]...)
	cmd.Args, cmd.Env = argv, environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		os.Exit(ended.ExitCode())
	}
	if err == nil {
		os.Exit(0)
	}
	return err
}
