package inorder

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

func one(int) int { return 1 }

// TestMapOrder holds the order although later items are done first.
func TestMapOrder(t *testing.T) {
	var items []int
	for i := range 500 {
		items = append(items, i)
	}
	for _, workers := range []int{0, 1, 2, 7} {
		got := slices.Collect(Map(workers, slices.Values(items), one, func(i int) int {
			if i%50 == 0 {
				time.Sleep(time.Millisecond)
			}
			return i
		}))
		if !slices.Equal(got, items) {
			t.Errorf("%d workers: %v", workers, got)
		}
	}
}

// TestMapAtOnce needs two to work at the same time.
func TestMapAtOnce(t *testing.T) {
	first, second := make(chan bool), make(chan bool)
	n := 0
	for range Map(2, slices.Values([]int{0, 1}), one, func(i int) int {
		if i == 0 {
			close(first)
			<-second
		} else {
			<-first
			close(second)
		}
		return i
	}) {
		n++
	}
	if n != 2 {
		t.Error(n)
	}
}

// TestMapLazy reads nothing with one worker before it is asked for.
func TestMapLazy(t *testing.T) {
	read := 0
	items := func(yield func(int) bool) {
		for read = 1; yield(read); read++ {
		}
	}
	for got := range Map(1, items, one, func(i int) int { return i }) {
		if got != read {
			t.Fatalf("at %d when %d is given", read, got)
		}
		if got == 3 {
			break
		}
	}
}

// TestMapAnswersBeforeNext gives a result while the next item is waited for, and returns early all the same.
func TestMapAnswersBeforeNext(t *testing.T) {
	never := make(chan int)
	items := func(yield func(int) bool) {
		if yield(1) {
			yield(<-never)
		}
	}
	for range Map(2, items, one, func(i int) int { return i }) {
		return
	}
	t.Error("nothing was given")
}

// TestMapAhead bounds what is read ahead by number and by size, and takes an item that is larger than the bound.
func TestMapAhead(t *testing.T) {
	for size, most := range map[int]int64{1: 4*2 + 4, limits.Ahead / 4: 4 + 1, limits.Ahead * 2: 1 + 1} {
		var read, given atomic.Int64
		items := func(yield func(int) bool) {
			for i := range 40 {
				if n := read.Add(1) - given.Load(); n > most {
					t.Errorf("size %d: %d items are on their way, want at most %d", size, n, most)
				}
				if !yield(i) {
					return
				}
			}
		}
		for range Map(2, items, func(int) int { return size }, func(i int) int { return i }) {
			time.Sleep(100 * time.Microsecond)
			given.Add(1)
		}
		if given.Load() != 40 {
			t.Errorf("size %d: %d of 40", size, given.Load())
		}
	}
}

// TestMapLone mixes items that are lone with those that are not. It holds the order, works on a lone item alone and on the
// caller's goroutine, which reads nothing meanwhile, and ends items when the caller stops.
func TestMapLone(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		for stopAt := range 60 {
			var working, read atomic.Int64
			ended := make(chan struct{})
			items := func(yield func(int) bool) {
				defer close(ended)
				for i := range 50 {
					if read.Store(int64(i)); !yield(i) {
						return
					}
				}
			}
			lone := func(i int) bool { return i%11 == 0 || i > 20 && i < 30 }
			n := 0
			for got := range MapLone(workers, items, one, lone, func(i int) int {
				others := working.Add(1) - 1
				defer working.Add(-1)
				if lone(i) && i > 0 && lone(i-1) && (others != 0 || read.Load() != int64(i)) {
					t.Errorf("%d workers: item %d is worked on beside %d others, when item %d is read", workers, i, others, read.Load())
				}
				return i
			}) {
				if got != n {
					t.Fatalf("%d workers: %d at %d", workers, got, n)
				}
				if n++; n == stopAt {
					break
				}
			}
			if want := min(stopAt, 50); n != want && stopAt > 0 {
				t.Fatalf("%d workers: %d results, want %d", workers, n, want)
			}
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Fatalf("%d workers: items did not end after %d results", workers, n)
			}
		}
	}
}

// TestMapLoneAtOnce needs two to work at the same time, after one that is lone.
func TestMapLoneAtOnce(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	lone := func(i int) bool { return i == 0 }
	got := slices.Collect(MapLone(2, slices.Values([]int{0, 1, 2, 3}), one, lone, func(i int) int {
		if i == 1 || i == 2 {
			both.Done()
			both.Wait()
		}
		return i
	}))
	if !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Error(got)
	}
}
