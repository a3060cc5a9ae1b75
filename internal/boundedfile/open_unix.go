//go:build unix

package boundedfile

import "syscall"

// OpenAtOnce is a flag of os.OpenFile for a path at which a pipe may lie by now: opening it does not wait for the other end.
const OpenAtOnce = syscall.O_NONBLOCK
