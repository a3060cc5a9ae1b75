//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package journal

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock two gateways could write to one journal.
func lockFile(*os.File) error {
	return errors.New("this system has no flock, which keeps two gateways from writing to one journal")
}
