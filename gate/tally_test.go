package gate

import (
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/limits"
)

// TestTally: the number and the total size of the approvals from one place are bounded.
func TestTally(t *testing.T) {
	for name, c := range map[string]struct {
		count, size int
		want        string
	}{
		"as many as may be":   {limits.Approvals, 1, ""},
		"one too many":        {limits.Approvals + 1, 1, "more than 10000 approvals"},
		"as large as may be":  {256, limits.ApprovalsSize / 256, ""},
		"one that is too big": {257, limits.ApprovalsSize / 256, "more than 268435456 bytes of approvals"},
	} {
		var p tally
		var err error
		for range c.count - 1 {
			if err = p.count(c.size); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err = p.count(c.size); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
