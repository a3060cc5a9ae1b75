package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
)

// TestAccuracy: what must be earlier is held against the latest that a timestamp may be, what must be young against the
// earliest.
func TestAccuracy(t *testing.T) {
	noon := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const hour, day = time.Hour, 24 * time.Hour
	stamped := func(accuracy time.Duration) []evidence.TrustedTime {
		return []evidence.TrustedTime{{Kind: evidenceTimestamp, Authority: "a", Time: noon, Accuracy: accuracy}}
	}
	within := timeDemand{demand{evidenceTimestamp, 1}, day}
	for name, c := range map[string]struct {
		times  []evidence.TrustedTime
		now    time.Time
		replay bool
		denied string
	}{
		"exact":                      {stamped(0), noon, true, ""},
		"of the past, too late":      {stamped(hour), noon.Add(-time.Second), true, "signed at 2026-11-01T12:00:00Z (by the timestamp), which is after the start at 2026-11-01T11:59:59Z"},
		"of the past, in time":       {stamped(hour), noon, true, ""},
		"of the present":             {stamped(hour), noon, false, ""},
		"of the present, too late":   {stamped(0), noon.Add(-time.Millisecond), false, "signed at 2026-11-01T12:00:00Z (by the timestamp), which is after the start at 2026-11-01T11:59:59Z"},
		"young enough":               {stamped(hour), noon.Add(23 * hour), false, ""},
		"maybe too old":              {stamped(hour), noon.Add(24 * hour), false, "signed at 2026-11-01T11:00:00Z, 25h0m0s before the start"},
		"too old by a fraction":      {stamped(0), noon.Add(day + 400*time.Millisecond), false, "signed at 2026-11-01T12:00:00Z, 24h0m0.4s before the start"},
		"the first of two is proved": {append(stamped(hour), stamped(time.Minute)...), noon, true, ""},
	} {
		d := &Decision{Now: c.now}
		within.judge(d, c.times, asOf{c.now, c.replay})
		if got := len(d.Denials) == 1 && strings.Contains(d.Denials[0].Reason, c.denied); got != (c.denied != "") || len(d.Denials) > 1 {
			t.Errorf("%s: %v, want %q", name, d.Denials, c.denied)
		}
	}
	id := identity.ID{}
	for name, c := range map[string]struct {
		decision Verdict
		now      time.Time
		replay   bool
		counted  bool
	}{
		"an approval of that moment":             {Approved, noon, true, true},
		"an approval that is later":              {Approved, noon.Add(-time.Second), true, false},
		"an approval of the present":             {Approved, noon, false, true},
		"a rejection that may be earlier":        {Rejected, noon.Add(-hour), true, true},
		"a rejection that is later":              {Rejected, noon.Add(-hour - time.Second), true, false},
		"a rejection that is later, at present ": {Rejected, noon.Add(-day), false, true},
	} {
		o := statedDecision{result: ApprovalResult{Decision: c.decision, Times: stamped(hour), run: id}, by: &approver{}}
		if r := o.about(id, nil, asOf{c.now, c.replay}); r.Counted != c.counted {
			t.Errorf("%s: counted %v (%s)", name, r.Counted, r.Why)
		}
	}
}
