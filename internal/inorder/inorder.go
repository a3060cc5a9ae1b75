// Package inorder does work on all cores and gives the results in the order of what the work is on.
package inorder

import (
	"iter"
	"sync"

	"github.com/runattest/runattest/internal/limits"
)

// Map gives do(item) of each item, in the order of the items. do is called by several goroutines at once.
//
// With one worker, an item is read and worked on when its result is asked for, and not before. With more, items are read ahead
// by a goroutine of their own: four for each worker, as long as their sizes add up to limits.Ahead bytes at most; a larger
// item is alone. A result is given as soon as it is there, without waiting for another item.
//
// A caller that stops early waits for the work that has begun, and not for an item that is being read: what items reads
// from must not be read by others then.
func Map[T, R any](workers int, items iter.Seq[T], size func(T) int, do func(T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		if workers > 1 {
			ahead(workers, items, size, do, yield)
			return
		}
		for item := range items {
			if !yield(do(item)) {
				return
			}
		}
	}
}

// MapLone is Map for items that may come one at a time, from a sender that waits for each result. An item for which lone is
// true is worked on by the caller's goroutine once the results of all items before it are given, and the next item is read
// after that. It saves the switches between goroutines, which can take as long as a signature. lone should be true for an
// item of little work after which no other can be read at once.
func MapLone[T, R any](workers int, items iter.Seq[T], size func(T) int, lone func(T) bool, do func(T) R) iter.Seq[R] {
	if workers <= 1 {
		return Map(workers, items, size, do)
	}
	return func(yield func(R) bool) {
		next, stop := iter.Pull(items)
		for item, ok := next(); ok; item, ok = next() {
			if lone(item) {
				if !yield(do(item)) {
					break
				}
				continue
			}
			read := make(chan struct{})
			if !ahead(workers, upToLone(item, next, lone, read), size, do, yield) {
				go func() { <-read; stop() }() // an item is being read
				return
			}
		}
		stop()
	}
}

// upToLone gives first and the items after it, as far as one that is lone. It closes read when it reads no more.
func upToLone[T any](first T, next func() (T, bool), lone func(T) bool, read chan<- struct{}) iter.Seq[T] {
	return func(yield func(T) bool) {
		defer close(read)
		for item, ok := first, true; ok; item, ok = next() {
			if !yield(item) || lone(item) {
				return
			}
		}
	}
}

// task is an item on its way.
type task[T, R any] struct {
	item T
	size int
	done chan R // holds one
}

// ahead says whether all results were taken.
func ahead[T, R any](workers int, items iter.Seq[T], size func(T) int, do func(T) R, yield func(R) bool) bool {
	work, order := make(chan *task[T, R]), make(chan *task[T, R], 4*workers)
	stop := make(chan struct{})
	w := newWindow(limits.Ahead)
	var running sync.WaitGroup
	defer running.Wait()
	defer w.stop()
	defer close(stop)
	go func() {
		defer close(order)
		defer close(work)
		for item := range items {
			t := &task[T, R]{item, size(item), make(chan R, 1)}
			if !w.enter(t.size) {
				return
			}
			for _, next := range []chan *task[T, R]{order, work} {
				select {
				case next <- t:
				case <-stop:
					return
				}
			}
		}
	}()
	for range workers {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				case t, ok := <-work:
					if !ok {
						return
					}
					t.done <- do(t.item)
				}
			}
		})
	}
	for t := range order {
		if !yield(<-t.done) {
			return false
		}
		w.leave(t.size)
	}
	return true
}

// window bounds the sizes of what is in it.
type window struct {
	mu      sync.Mutex
	changed *sync.Cond
	most    int
	held    int
	stopped bool
}

func newWindow(most int) *window {
	w := &window{most: most}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// enter waits until there is room, or nothing else. It is false once the window is stopped.
func (w *window) enter(size int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.held > 0 && w.held+size > w.most && !w.stopped {
		w.changed.Wait()
	}
	w.held += size
	return !w.stopped
}

func (w *window) leave(size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held -= size
	w.changed.Signal()
}

func (w *window) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.changed.Signal()
}
