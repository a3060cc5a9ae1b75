package secrets

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCost: a long text that has each word many times is looked through in one pass. It counts the thread's time on a processor,
// which other programs do not change.
func TestCost(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	words := ""
	for _, f := range forms {
		words += strings.Join(f.words, " ") + " "
	}
	cost := func(n int) time.Duration {
		text, least := strings.Repeat(words+"key: value; a=b ", n), time.Hour
		for range 5 {
			start := used(t)
			if what := In(text); what != "" {
				t.Errorf("found %s", what)
			}
			least = min(least, used(t)-start)
		}
		return least
	}
	if short, long := cost(5), cost(40); long > 30*short { // 64 times, if each word looked through the rest
		t.Errorf("a text takes %v, one of eight times its size %v", short, long)
	}
}

// used is the time that the thread had on a processor.
func used(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	if err := syscall.Getrusage(thread, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
