package policy

import (
	"testing"

	"github.com/runattest/runattest/policy/internal/rules"
)

// TestPanickedCheck: a panic in a check is one of the goroutine that reads the rules, where it can be recovered.
func TestPanickedCheck(t *testing.T) {
	c := newChecks()
	for range 1000 {
		c.add("/rules/0/expr", "x", func() []rules.Problem { panic("in a check") })
	}
	defer func() {
		if p := recover(); p != "in a check" {
			t.Errorf("recovered %v", p)
		}
		if again := c.end(); len(again) > 0 {
			t.Errorf("%d checks", len(again))
		}
	}()
	c.end()
	t.Error("no panic")
}
