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
	if got, err := Erase(ctx, d.dir, gone.Identity); err != nil || got.Declarations != 2 || got.Embedded != 1 || got.SetAside != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := Erase(ctx, d.dir, gone.Identity); err != nil || got.Declarations != 0 || got.Embedded != 1 {
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

// Erase names what recovery has set aside, whatever the folder is called: it may have the declaration, too.
func TestEraseSetAside(t *testing.T) {
	d := newDesk(t)
	d.dir = filepath.Join(t.TempDir(), "journal [1]")
	e := d.entry(t, 0, true)
	closeJournal(t, func() *Journal { j := d.open(t); add(t, j, e); return j }())
	half := []byte(`{"body":`)
	if err := os.WriteFile(filepath.Join(d.dir, linesName(2)), half, 0o600); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, d.open(t))
	got, err := Erase(ctx, d.dir, e.Identity)
	if err != nil || got.Declarations != 1 || len(got.SetAside) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if data, err := os.ReadFile(got.SetAside[0]); err != nil || !bytes.Equal(data, half) {
		t.Errorf("%s has %q, %v", got.SetAside[0], data, err)
	}
}
