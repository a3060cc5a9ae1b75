//go:build unix

package gate

import (
	"os"
	"os/signal"
	"syscall"
)

// ignoredAtStart are the signals that this program was started to ignore, as nohup and a shell's & have it, found before
// anything asks for signals. Go tells it of SIGHUP and SIGINT alone: over the others its runtime puts handlers of its own
// before any other code runs.
var ignoredAtStart = func() []os.Signal {
	var all []os.Signal
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}()
