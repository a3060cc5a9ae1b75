//go:build !unix

package remote

import "os/exec"

// ownGroup does nothing where there are no process groups: the program alone is killed.
func ownGroup(*exec.Cmd) {}
