package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// TestEraseBrokenOff: what is left of a declaration where erasing it broke off is erased, and damage keeps nothing behind it from that.
func TestEraseBrokenOff(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	gone, other, third := d.entry(t, 0, true), d.entry(t, 1, true), d.entry(t, 2, true)
	for _, e := range []Entry{gone, other, third} {
		add(t, j, e)
	}
	closeJournal(t, j)
	j = d.open(t)
	add(t, j, d.entry(t, 2, true)) // the third again
	closeJournal(t, j)
	path := filepath.Join(d.dir, declarationsName(1))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(data, bytes.Repeat([]byte(" "), 20)) // of the first
	half := bytes.Index(data, other.Declaration.Canonical())
	data[half] = 'x'
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Erase(ctx, d.dir, gone.Identity); got.Declarations != 1 || damageOf(err) == nil || damageOf(err).Line != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Erase(ctx, d.dir, third.Identity); got.Declarations != 2 || damageOf(err) == nil {
		t.Errorf("behind damage: %+v, %v", got, err)
	}
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	size := len(other.Declaration.Canonical())
	for name, left := range map[string][]byte{
		"a bit":             append([]byte{'x'}, other.Declaration.Canonical()[1:]...),
		"the last part":     append([]byte{'x'}, bytes.Repeat([]byte(" "), size-1)...), // as a power cut may leave it
		"a page in between": slices.Concat(other.Declaration.Canonical()[:9], bytes.Repeat([]byte(" "), size-18), other.Declaration.Canonical()[size-9:]),
	} {
		copy(data[half:], left)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Erase(ctx, d.dir, other.Identity); got.Declarations != 1 || err != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if r := d.verified(t, 4, VerifyOptions{Closed: true}); r.Erased != 4 {
		t.Errorf("%+v", r)
	}
	// A declarations file that is too short says nothing of where the others are.
	if err := os.Truncate(path, int64(len(data)-1)); err != nil {
		t.Fatal(err)
	}
	if got, err := Erase(ctx, d.dir, third.Identity); got.Declarations != 0 || damageOf(err) == nil || damageOf(err).Line != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestEraseExchanged: what lies in the place of a declaration, and is that of another line, is not erased.
func TestEraseExchanged(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	one, two := d.entry(t, 0, true), d.entry(t, 1, true)
	add(t, j, one)
	add(t, j, two)
	closeJournal(t, j)
	path := filepath.Join(d.dir, declarationsName(1))
	data := slices.Concat(two.Declaration.Canonical(), []byte("\n"), one.Declaration.Canonical(), []byte("\n"))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, e := range []Entry{one, two} {
		if got, err := Erase(ctx, d.dir, e.Identity); got.Declarations != 0 || damageOf(err) == nil || damageOf(err).Line != 1 {
			t.Errorf("%d: %+v, %v", i+1, got, err)
		}
	}
	if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, data) {
		t.Errorf("%q, %v", left, err)
	}
}

// TestEraseExchangedFiles: nor is it where the files of two segments were exchanged.
func TestEraseExchangedFiles(t *testing.T) {
	d := newDesk(t)
	var all []Entry
	for i := range 2 {
		j := d.open(t)
		all = append(all, d.entry(t, i, true))
		add(t, j, all[i])
		closeJournal(t, j)
	}
	if a, b := len(all[0].Declaration.Canonical()), len(all[1].Declaration.Canonical()); a != b {
		t.Fatalf("declarations of %d and %d bytes", a, b)
	}
	paths := []string{filepath.Join(d.dir, declarationsName(1)), filepath.Join(d.dir, declarationsName(2))}
	for i, path := range paths {
		if err := os.WriteFile(path, append(all[1-i].Declaration.Canonical(), '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range all {
		if got, err := Erase(ctx, d.dir, e.Identity); got.Declarations != 0 || damageOf(err) == nil || !strings.HasSuffix(damageOf(err).Path, linesName(1)) {
			t.Errorf("%d: %+v, %v", i+1, got, err)
		}
	}
	for i, path := range paths {
		if left, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(left, all[1-i].Declaration.Canonical()) {
			t.Errorf("%q, %v", left, err)
		}
	}
}

func damageOf(err error) *DamageError {
	damage, _ := errors.AsType[*DamageError](err)
	return damage
}
