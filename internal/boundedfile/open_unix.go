//go:build unix

package boundedfile

import "syscall"

// OpenAtOnce is a flag for os.OpenFile: if the path is a pipe by now, opening it does not wait for a writer.
const OpenAtOnce = syscall.O_NONBLOCK
