// Package collectlater puts the first garbage collection off until there are 32 MiB, so that a
// short command ends before it: it takes as long as a verification. From then on all is as usual.
//
// It is imported for that alone. It is a package, and one that imports next to nothing, so that
// it is initialised before the packages that allocate: they bring the heap to where a
// collection starts before main does.
package collectlater

import (
	"os"
	"runtime"
	"runtime/debug"
)

func init() {
	if os.Getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(800)
	runtime.AddCleanup(new([16]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
}
