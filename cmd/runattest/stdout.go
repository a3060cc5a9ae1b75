package main

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/runattest/runattest/internal/atomicfile"
)

// stdout is the name of standard output.
const stdout = "-"

// outputName is where a flag has a result written: every name of standard output becomes -.
func outputName(path string) string {
	if n, ok := atomicfile.Descriptor(path); path == "/dev/stdout" || ok && n == 1 {
		return stdout
	}
	return path
}

// put writes a result where a flag says: to standard output, or into a file, whole, in the place of one that was there.
func (o *output) put(path string, data []byte) error {
	if outputName(path) == stdout {
		return o.writeRaw(data)
	}
	return atomicfile.Write(path, data, 0o644)
}

// checkedOutput is standard output, which every command writes to, also cobra's help: what is lost there is a failure of
// the command, whether or not it looked at the error.
type checkedOutput struct {
	io.Writer
	broken func() // called when nothing reads it any more

	mu  sync.Mutex
	err *lostOutput // the first
}

// lostOutput is an error of standard output. It is told once, however many results are lost.
type lostOutput struct {
	error
	told bool
}

func (e *lostOutput) Unwrap() error { return e.error }

func (c *checkedOutput) Write(data []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.Writer.Write(data)
	if err == nil {
		return n, nil
	}
	if c.err == nil {
		c.err = &lostOutput{error: err}
	}
	if errors.Is(err, syscall.EPIPE) {
		c.broken()
	}
	return n, c.err
}

// lost is the first error, nil for none.
func (c *checkedOutput) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Fd is for isTerminal.
func (c *checkedOutput) Fd() uintptr {
	if f, ok := c.Writer.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
