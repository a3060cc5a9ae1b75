// Package collectlater puts each garbage collection off until there are 20 MiB, so that a short command ends before the first: it
// takes as long as a verification. A process that goes on, with little that lives, collects one time in five. Where more than 10 MiB
// live, all is as usual. Where GOGC or GOMEMLIMIT is set, it does nothing.
//
// It is imported for that alone. It is a package, and one that imports next to nothing, so that
// it is initialised before the packages that allocate: they bring the heap to where a
// collection starts before main does.
package collectlater

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// floor is how large the heap grows before it is collected, if that is later than usual.
const floor = 20 << 20

// limit is how much memory the process takes before collections come at any cost.
const limit = 2 * floor

func init() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(limit)
	usual := debug.SetGCPercent(500) // floor, of the 4 MiB at which the runtime starts
	afterEach(func() { set(usual, live()) })
}

// set says when the next collection comes, after one that kept so many bytes. A percentage of few bytes would let a heap in which
// many live grow without end until afterEach gets to it: limit stops that, and holds while GOGC is more than usual.
func set(usual int, live uint64) {
	if live < floor/2 {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent(usual, live))
		return
	}
	debug.SetGCPercent(usual)
	debug.SetMemoryLimit(math.MaxInt64)
}

// afterEach calls f after each garbage collection, sooner or later.
func afterEach(f func()) {
	runtime.AddCleanup(new([16]byte), func(int) { f(); afterEach(f) }, 0)
}

// percent is GOGC for a heap of which so many bytes live, fewer than half of floor: by how much it grows before the next collection.
func percent(usual int, live uint64) int {
	return max(usual, int(100*(floor-live)/max(live, floor/9)))
}

// live is how many bytes the last collection kept, with the stacks of goroutines, which limit counts too.
func live() uint64 {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() + samples[1].Value.Uint64()
}
