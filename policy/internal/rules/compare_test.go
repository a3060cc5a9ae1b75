package rules

import (
	"runtime"
	"strings"
	"testing"
)

// TestLongList: what a list is looked through for takes memory in proportion to its length.
func TestLongList(t *testing.T) {
	bytes := func(n int) uint64 {
		r := ruleOf(t, `declaration.model.name in ["a"`+strings.Repeat(`,"a"`, n)+`]`, "")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if found := comparisons(r.ast); len(found) != n+1 {
			t.Fatalf("%d comparisons, want %d", len(found), n+1)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if short, long := bytes(400), bytes(3200); long > 20*short { // 64 times, if each element copied those before
		t.Errorf("a list takes %d bytes, one of eight times its length %d", short, long)
	}
}
