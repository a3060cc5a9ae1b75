package gate

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// atBase is AT_BASE of the auxiliary vector: where the kernel put the program's interpreter, 0 without one.
const atBase = 7

// CheckLoader refuses a program that a dynamic loader started, with ErrLoader.
func CheckLoader() error {
	vector, err := unix.Auxv()
	if err != nil {
		return fmt.Errorf("%w: cannot tell: %w", ErrLoader, err)
	}
	for _, pair := range vector {
		if pair[0] == atBase {
			if pair[1] != 0 {
				return ErrLoader
			}
			return nil
		}
	}
	return fmt.Errorf("%w: cannot tell: %w", ErrLoader, errors.New("the auxiliary vector has no AT_BASE"))
}
