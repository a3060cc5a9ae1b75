// Command runattest gives an AI run a signed identity before it executes, and lets anybody
// check the signer and the identity offline.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	collectLater()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // the next signal kills
		time.Sleep(grace)
		fmt.Fprintln(os.Stderr, "runattest: interrupted")
		os.Exit(exitFailed)
	})
	os.Exit(run(ctx, newRoot(os.Args[1:]...), os.Args[1:]))
}

// collectLater puts the first garbage collection off until there are 32 MiB, so that a short
// command ends before it: it takes as long as a verification. From then on all is as usual.
func collectLater() {
	if os.Getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(800)
	runtime.AddCleanup(new([16]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// grace is how long an interrupted command may go on: long enough to finish or take back a
// file, and not as long as it may block on input.
const grace = 300 * time.Millisecond
