package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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

// overwritten is the input that target is, whatever its name; "" for none.
func overwritten(target string, inputs []string) string {
	info, err := os.Stat(target)
	if target == stdout || err != nil {
		return "" // nothing there to lose; writing says the rest
	}
	for _, input := range inputs {
		if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
			return input
		}
	}
	return ""
}

// notAnInput keeps a bundle from being written over a declaration, an artifact or the key.
func notAnInput(target string, inputs []string) error {
	if input := overwritten(target, inputs); input != "" {
		return fmt.Errorf("the bundle would overwrite %s, which is an input", input)
	}
	return nil
}

// outIsNoInput keeps another result from being written over what it is made from.
func outIsNoInput(out string, inputs ...string) error {
	if input := overwritten(out, inputs); input != "" {
		return fmt.Errorf("%s would be overwritten, and is an input", input)
	}
	return nil
}

// mustNotExist refuses files that are there already.
func mustNotExist(paths ...string) error {
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return withHint(fmt.Errorf("%s: %w", path, fs.ErrExist), "choose another name with -o; keys are never overwritten")
		}
	}
	return nil
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
