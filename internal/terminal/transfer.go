package terminal

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Transfer shows on a terminal how much was moved, once it takes longer than a second: also while a server keeps us
// waiting. A nil *Transfer counts nothing and prints what it is to print.
type Transfer struct {
	moved atomic.Int64
	stop  context.CancelFunc
	done  chan struct{}

	mu    sync.Mutex // of the terminal
	shown *Progress
}

// NewTransfer begins a count that is shown as "COUNT VERB" until ctx or the transfer ends.
func NewTransfer(ctx context.Context, to io.Writer, verb string) *Transfer {
	return newTransfer(ctx, NewProgress(to, verb))
}

func newTransfer(ctx context.Context, shown *Progress) *Transfer {
	ctx, stop := context.WithCancel(ctx)
	t := &Transfer{stop: stop, done: make(chan struct{}), shown: shown}
	go func() {
		defer close(t.done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				t.Say(func() {})
				return
			case <-tick.C:
				t.mu.Lock()
				t.shown.add(int(t.moved.Load()) - t.shown.count)
				t.mu.Unlock()
			}
		}
	}()
	return t
}

// Count counts one that was moved.
func (t *Transfer) Count() {
	if t != nil {
		t.moved.Add(1)
	}
}

// Say prints something where the count was.
func (t *Transfer) Say(print func()) {
	if t == nil {
		print()
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shown.End()
	print()
}

// End removes the count. It can be called again.
func (t *Transfer) End() {
	t.stop()
	<-t.done
}
