// Package deadline makes contexts whose deadline is an event of the test and not a moment, so that a busy machine changes
// nothing.
package deadline

import (
	"context"
	"sync"
)

// New returns a context that ends with context.DeadlineExceeded when end is called. It ends with its parent, too.
func New(parent context.Context) (ctx context.Context, end func()) {
	c := &eventual{Context: parent, done: make(chan struct{})}
	context.AfterFunc(parent, func() { c.end(parent.Err()) })
	return c, func() { c.end(context.DeadlineExceeded) }
}

type eventual struct {
	context.Context
	done chan struct{}
	once sync.Once
	err  error
}

func (c *eventual) end(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.done)
	})
}

func (c *eventual) Done() <-chan struct{} { return c.done }

func (c *eventual) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}
