package loader

import (
	"debug/elf"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The members of the auxiliary vector, in which the kernel describes the program that it has started.
const (
	atPhdr  = 3 // where its program headers are
	atPhent = 4 // the size of one
	atPhnum = 5 // their number
	atBase  = 7 // where its interpreter is, 0 without one
)

// iscgo is true in a program that package runtime/cgo is a part of, and with it a C library: in each that was built with cgo or
// linked by a C compiler, whatever its build information says or leaves out. A position-independent program without an
// interpreter (-static-pie) is always one of these.
//
//go:linkname iscgo runtime.iscgo
var iscgo bool

// check looks at the program that the kernel has started: one with an interpreter, with C code, or with a dynamic section, as the
// loader itself has it where it was started with this program as its argument.
func check() error {
	vector, err := unix.Auxv()
	if err != nil {
		return fmt.Errorf("%w: cannot tell: %w", Err, err)
	}
	values := map[uintptr]uintptr{}
	for _, pair := range vector {
		values[pair[0]] = pair[1]
	}
	for _, member := range []uintptr{atPhdr, atPhent, atPhnum, atBase} {
		if value, ok := values[member]; !ok || value == 0 && member != atBase {
			return fmt.Errorf("%w: cannot tell: %w", Err, errors.New("the auxiliary vector does not describe the program"))
		}
	}
	dynamic := isDynamic(values[atPhdr], values[atPhent], values[atPhnum])
	switch {
	case values[atBase] != 0, dynamic && !iscgo:
		return fmt.Errorf("%w: it is dynamically linked", Err)
	case dynamic:
		return fmt.Errorf("%w: it is dynamically linked, or position-independent with C code in it (cgo)", Err)
	case iscgo:
		return fmt.Errorf("%w: it has C code in it (cgo)", Err)
	}
	return nil
}

// isDynamic looks through program headers in memory, of which each begins with its type.
func isDynamic(at, size, number uintptr) bool {
	for i := range number {
		header := at + i*size
		switch elf.ProgType(**(**uint32)(unsafe.Pointer(&header))) {
		case elf.PT_INTERP, elf.PT_DYNAMIC:
			return true
		}
	}
	return false
}
