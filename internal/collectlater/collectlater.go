// Package collectlater puts each garbage collection off until there are 32 MiB, so that a short command ends before the first: it
// takes as long as a verification. A process that goes on, with little that lives, collects one time in six. Where more than 16 MiB
// live, all is as usual.
//
// It is imported for that alone. It is a package, and one that imports next to nothing, so that
// it is initialised before the packages that allocate: they bring the heap to where a
// collection starts before main does.
package collectlater

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// floor is how large the heap grows before it is collected, if that is later than usual.
const floor = 32 << 20

func init() {
	if os.Getenv("GOGC") != "" {
		return
	}
	const first = 800 // of the 4 MiB at which the runtime starts
	usual := debug.SetGCPercent(first)
	afterEach(func() { debug.SetGCPercent(percent(usual, live())) })
}

// afterEach calls f after each garbage collection.
func afterEach(f func()) {
	runtime.AddCleanup(new([16]byte), func(int) { f(); afterEach(f) }, 0)
}

// percent is GOGC for a heap of which so many bytes live: by how much it grows before the next collection.
func percent(usual int, live uint64) int {
	if live >= floor {
		return usual
	}
	return max(usual, int(100*(floor-live)/max(live, floor/9)))
}

// live is how many bytes the last collection kept.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
