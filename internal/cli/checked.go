package cli

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// CheckedOutput is standard output, which every command writes to, also cobra's help: what is lost there is a failure of
// the command, whether or not it looked at the error.
type CheckedOutput struct {
	to     io.Writer
	broken func() // called when nothing reads it any more

	mu      sync.Mutex
	err     *LostOutput // the first
	written bool
	failure Failure // the first
}

// Failure is what a command says of what it could not do, as a result in JSON.
type Failure struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

// Fail keeps the first failure, for Unanswered.
func (c *CheckedOutput) Fail(f Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure.Error == "" {
		c.failure = f
	}
}

// Unanswered is the first failure, if there was one and nothing at all was written.
func (c *CheckedOutput) Unanswered() (f Failure, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure, !c.written && c.failure.Error != ""
}

// NewCheckedOutput writes to an output. broken is called when nothing reads that any more.
func NewCheckedOutput(to io.Writer, broken func()) *CheckedOutput {
	return &CheckedOutput{to: to, broken: broken}
}

// LostOutput is an error of standard output. It is told once, however many results are lost.
type LostOutput struct {
	error
	told bool
}

func (e *LostOutput) Unwrap() error { return e.error }

// Tell says whether the error was told before, and that it is told now.
func (e *LostOutput) Tell() (before bool) {
	before, e.told = e.told, true
	return before
}

func (c *CheckedOutput) Write(data []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written = true
	n, err := c.to.Write(data)
	if err == nil {
		return n, nil
	}
	if c.err == nil {
		c.err = &LostOutput{error: err}
	}
	if errors.Is(err, syscall.EPIPE) {
		c.broken()
	}
	return n, c.err
}

// Lost is the first error, nil for none.
func (c *CheckedOutput) Lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Fd lets a terminal be recognized.
func (c *CheckedOutput) Fd() uintptr {
	if f, ok := c.to.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
