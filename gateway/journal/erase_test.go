package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A declaration is erased in place, in closed segments and in the open one, and what is left verifies as erased.
func TestErase(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	add(t, j, d.entry(t, 0, true))
	add(t, j, d.entry(t, 1, true))
	closeJournal(t, j)
	j = d.open(t)
	gone := d.entry(t, 0, true)
	again := gone
	again.Attempt = 1
	receipts := []Receipt{add(t, j, gone), add(t, j, d.entry(t, 2, true)), add(t, j, again), add(t, j, d.entry(t, 0, false))}
	if got, err := Erase(ctx, d.dir, gone.Identity); err != nil || got != (Erased{2, 1}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := Erase(ctx, d.dir, gone.Identity); err != nil || got != (Erased{0, 1}) {
		t.Errorf("again: %+v, %v", got, err)
	}
	add(t, j, d.entry(t, 3, true))
	closeJournal(t, j)
	erased := map[string]bool{}
	r := d.verified(t, 7, VerifyOptions{Receipts: receipts, Closed: true, Line: func(l LineResult) error {
		if l.Erased && (l.Report.Verified || l.Identity != gone.Identity) {
			t.Errorf("%+v", l)
		}
		erased[l.Receipt().String()[:10]] = l.Erased
		return nil
	}})
	if r.Erased != 3 || !erased["00000001/1"] || !erased["00000002/1"] || !erased["00000002/3"] || erased["00000002/4"] {
		t.Errorf("%+v, %v", r, erased)
	}
	for _, number := range []int{1, 2} {
		data, err := os.ReadFile(filepath.Join(d.dir, declarationsName(number)))
		if err != nil || bytes.Contains(data, gone.Declaration.Canonical()) {
			t.Errorf("segment %d has the declaration that was erased", number)
		}
	}
}
