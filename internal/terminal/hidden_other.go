//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package terminal

import "golang.org/x/term"

// readHidden reads a line from a terminal without echo.
func readHidden(fd int) ([]byte, error) { return term.ReadPassword(fd) }
