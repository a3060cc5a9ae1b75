package journal

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
)

// witnessing gives the bundles of signed segments to the witness, in their order. It has a goroutine of its own: a witness that
// does not answer holds up neither calls nor signatures.
type witnessing struct {
	dir string
	id  [sha256.Size]byte
	o   Options

	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
	wake   chan struct{}
	stop   chan struct{} // closed by close

	mu    sync.Mutex
	waits []int // segments

	// What follows is the goroutine's alone, until it has ended.
	known bool // what the witness had at the start
	err   error
}

// newWitnessing begins with the segments that are signed by now: the last process may have ended before the witness had them.
func newWitnessing(dir string, id [sha256.Size]byte, o Options) (*witnessing, error) {
	l, err := list(dir)
	if err != nil {
		return nil, err
	}
	w := &witnessing{dir: dir, id: id, o: o, ended: make(chan struct{}), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	for _, number := range l.numbers {
		if l.closed[number] {
			w.waits = append(w.waits, number)
		}
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	go w.run()
	return w, nil
}

// add is for a segment that was signed. Without a witness it does nothing.
func (w *witnessing) add(number int) {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.waits = append(w.waits, number)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close gives the witness what waits, once, and returns when that is done or ctx is.
func (w *witnessing) close(ctx context.Context) error {
	if w == nil {
		return nil
	}
	close(w.stop)
	defer w.cancel()
	select {
	case <-w.ended:
		return w.err
	case <-ctx.Done(): // it may hang in a system call
		return fmt.Errorf("the witness does not answer: %w", ctx.Err())
	}
}

// leave ends it without waiting for the witness.
func (w *witnessing) leave() {
	if w != nil {
		w.cancel()
		close(w.stop)
	}
}

func (w *witnessing) run() {
	defer close(w.ended)
	said := ""
	for {
		closing := false
		select {
		case <-w.stop:
			closing = true
		default:
		}
		err := w.turn()
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			w.o.Log.Error("the witness does not have the bundles of all segments; they are given to it again", "error", err)
		case err == nil && said != "":
			said = ""
			w.o.Log.Info("the witness has the bundles of all segments")
		}
		if closing {
			w.err = err
			return
		}
		rest(w.stop, w.wake, err != nil, w.o.RetryAfter)
	}
}

// turn gives all that waits to the witness, as far as it takes it.
func (w *witnessing) turn() error {
	w.mu.Lock()
	waits := slices.Clone(w.waits)
	w.mu.Unlock()
	given := 0
	defer func() {
		w.mu.Lock()
		w.waits = w.waits[given:]
		w.mu.Unlock()
	}()
	if !w.known {
		last, err := w.o.Witness.Last(w.ctx, w.id)
		if err == nil {
			err = checkEnd(last, waits)
		}
		if err != nil {
			return err
		}
		w.known = len(waits) == 0
		given, _ = slices.BinarySearch(waits, last) // that one again, to find that it is another
	}
	for _, number := range waits[given:] {
		name := bundleName(number)
		bundle, err := readFile(pathname.In(w.dir, name), limits.Bundle)
		if err == nil {
			err = w.o.Witness.Keep(w.ctx, w.id, number, bundle)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.known = true
		given++
	}
	return nil
}

// checkEnd finds that the witness has a later segment than the last of the journal's closed ones.
func checkEnd(last int, closed []int) error {
	switch n := len(closed); {
	case n == 0 && last > 0:
		return fmt.Errorf("the witness has segment %08d of this journal, which has none that is closed: the end of the journal is missing", last)
	case n > 0 && last > closed[n-1]:
		return fmt.Errorf("the witness has segment %08d of this journal, whose last is %08d: the end of the journal is missing", last, closed[n-1])
	}
	return nil
}
