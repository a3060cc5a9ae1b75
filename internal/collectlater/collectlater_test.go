package collectlater

import (
	"os"
	"runtime"
	"testing"
)

// TestPercent: with little that lives the next collection comes at 32 MiB, and with much when it always does.
func TestPercent(t *testing.T) {
	const mib = 1 << 20
	for live, want := range map[uint64]int{
		0: 900, 1 * mib: 871, 4 * mib: 700, 8 * mib: 300, 16 * mib: 100, 20 * mib: 100, 40 * mib: 100,
	} {
		if got := percent(100, live); got != want {
			t.Errorf("%d MiB live: %d percent, want %d", live/mib, got, want)
		}
	}
	if got := percent(500, 16*mib); got != 500 {
		t.Errorf("usually 500 percent: %d", got)
	}
}

var sink []byte

// TestCollectsLater allocates a gigabyte of which nothing lives: each collection waits for 32 MiB, not the first alone.
func TestCollectsLater(t *testing.T) {
	if os.Getenv("GOGC") != "" {
		t.Skip("GOGC says when")
	}
	var before, after runtime.MemStats
	runtime.GC() // the first
	runtime.ReadMemStats(&before)
	const all, piece = 1 << 30, 64 << 10
	for range all / piece {
		sink = make([]byte, piece)
	}
	runtime.ReadMemStats(&after)
	if got, most := after.NumGC-before.NumGC, uint32(2*all/floor); got > most {
		t.Errorf("%d collections, want at most %d", got, most)
	}
}
