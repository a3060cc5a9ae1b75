//go:build !unix

package atomicfile

import (
	"errors"
	"os"
)

// duplicate serves systems on which no path leads to an open file.
func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }
