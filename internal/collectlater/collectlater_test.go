package collectlater

import (
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// TestPercent: with little that lives the next collection comes at 20 MiB, and with much when it always does.
func TestPercent(t *testing.T) {
	const mib = 1 << 20
	for live, want := range map[uint64]int{
		0: 900, 1 * mib: 855, 4 * mib: 400, 8 * mib: 150, 9 * mib: 122,
	} {
		if got := percent(100, live); got != want {
			t.Errorf("%d MiB live: %d percent, want %d", live/mib, got, want)
		}
	}
	if got := percent(500, 9*mib); got != 500 {
		t.Errorf("usually 500 percent: %d", got)
	}
}

var sink []byte

// TestCollectsLater allocates a gigabyte of which nothing lives: each collection waits for 20 MiB, not the first alone.
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
	if got, most := after.NumGC-before.NumGC, uint32(4*all/floor); got > most {
		t.Errorf("%d collections, want at most %d", got, most)
	}
}

// TestManyLive: a collection after which much lives, and few bytes lived after the one before, is not followed by a heap of many times
// as much.
func TestManyLive(t *testing.T) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		t.Skip("GOGC or GOMEMLIMIT says when")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that what runs after a collection often comes after what is asked here
	var most uint64
	for range 20 {
		runtime.GC()
		time.Sleep(time.Millisecond)
		kept := make([]byte, 9<<20)
		runtime.GC()
		sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(sample)
		most = max(most, sample[0].Value.Uint64())
		runtime.KeepAlive(kept)
	}
	if most > limit {
		t.Errorf("9 MiB live: the next collection at %d MiB, want at most %d", most>>20, limit>>20)
	}
}
