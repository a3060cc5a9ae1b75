// Package cputime measures what benchmarks compare by the time on a processor, which other programs change less than the
// time by the clock.
package cputime

import "time"

// Used is the time that all threads of the process had on processors, the garbage collector's among them; where the system
// does not tell, the time since the process began.
func Used() time.Duration { return used() }

var start = time.Now()

func sinceStart() time.Duration { return time.Since(start) }
