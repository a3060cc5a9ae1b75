package visible

import (
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	for want, at := range map[string]time.Time{
		"2026-11-27T10:00:00Z":   time.Date(2026, 11, 27, 12, 0, 0, 0, time.FixedZone("", 7200)),
		"2026-11-27T10:00:00.5Z": time.Date(2026, 11, 27, 10, 0, 0, 5e8, time.UTC),
	} {
		if got := Time(at); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
