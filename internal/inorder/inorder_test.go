package inorder

import (
	"slices"
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
