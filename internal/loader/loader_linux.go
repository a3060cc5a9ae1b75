package loader

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// atBase is AT_BASE of the auxiliary vector: where the kernel put the program's interpreter, 0 without one.
const atBase = 7

func check() error {
	vector, err := unix.Auxv()
	if err != nil {
		return fmt.Errorf("%w: cannot tell: %w", Err, err)
	}
	for _, pair := range vector {
		if pair[0] == atBase {
			if pair[1] != 0 {
				return Err
			}
			return nil
		}
	}
	return fmt.Errorf("%w: cannot tell: %w", Err, errors.New("the auxiliary vector has no AT_BASE"))
}
