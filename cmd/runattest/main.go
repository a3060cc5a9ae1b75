// Command runattest gives an AI run a signed identity before it executes, and lets a
// verifier check the signer and the identity offline.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/runattest/runattest/internal/collectlater" // before the others
)

func main() {
	log.SetOutput(io.Discard) // to which net/http writes parts of answers
	ctx, interrupt := context.WithCancel(context.Background())
	heeded := make(chan struct{})
	go heedSignals(interrupt, heeded) // which takes as long as to make the command
	root := newRoot(os.Args[1:]...)
	<-heeded
	os.Exit(run(ctx, root, os.Args[1:]))
}

// heedSignals calls interrupt at the first signal that ends the command, and ends the process after a grace unless it ends itself.
// The next signal kills. It closes heeded once no signal is missed.
func heedSignals(interrupt context.CancelFunc, heeded chan<- struct{}) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a pipe without a reader is an error to report, not the end of the process
	signals, ends := make(chan os.Signal, 1), interrupts()
	signal.Notify(signals, ends...)
	close(heeded)
	<-signals
	signal.Stop(signals)
	interrupt()
	if endsItself.Load() {
		return
	}
	time.Sleep(grace)
	fmt.Fprintln(os.Stderr, "runattest: interrupted")
	os.Exit(exitFailed)
}

// interrupts are the signals that end the command: SIGINT, unless it was started to ignore that, which asking for it would undo,
// and SIGTERM, over which Go's runtime puts its own handler before any code here runs.
func interrupts() []os.Signal {
	if signal.Ignored(os.Interrupt) {
		return []os.Signal{syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM}
}

// grace is how long an interrupted command may go on: long enough to finish or take back a
// file, and not as long as it may block on input.
const grace = 300 * time.Millisecond
