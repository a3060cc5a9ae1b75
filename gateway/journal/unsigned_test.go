package journal

import (
	"context"
	"testing"

	"github.com/runattest/runattest/attest"
)

// allow is a Judge that allows every run that verifies.
func allow(t *testing.T, d *desk) func(context.Context, *attest.Bundle, attest.Expect) (attest.Report, error) {
	return func(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
		verified, err := d.verifier.Verify(ctx, b, want)
		return verified.Report(), err
	}
}

// A judge cannot allow a run whose declaration was erased, nor a call that was forwarded undeclared: both are refused.
func TestJudgeRefusesWhatItCannotJudge(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	gone := d.entry(t, 0, true)
	again := gone
	again.Attempt = 1
	add(t, j, gone)
	add(t, j, d.entry(t, 1, true))
	add(t, j, again)
	add(t, j, Entry{Fate: Denied, Client: "local"})
	closeJournal(t, j)
	judged := VerifyOptions{Judge: allow(t, d)}
	d.verified(t, 4, judged)
	if _, err := Erase(ctx, d.dir, gone.Identity); err != nil {
		t.Fatal(err)
	}
	if r := d.verify(t, judged); r.Verified || r.Refused != 2 || r.Erased != 0 {
		t.Errorf("erased: %+v", r)
	}
	d.verified(t, 4, VerifyOptions{})

	for _, closed := range []bool{false, true} {
		d := newDesk(t)
		j := d.open(t)
		add(t, j, d.entry(t, 0, true))
		add(t, j, Entry{Fate: Undeclared, Client: "local", Body: Body{SHA256: digestOf("x"), Size: 1}})
		if closed {
			closeJournal(t, j)
		}
		if r := d.verify(t, VerifyOptions{Judge: allow(t, d)}); r.Verified || r.Refused != 1 || r.Unsigned != 0 {
			t.Errorf("undeclared, closed %v: %+v", closed, r)
		}
		if !closed {
			closeJournal(t, j)
		}
	}
}

// Lines without a run count once their segment is signed, and not before.
func TestUnsigned(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	undeclared := add(t, j, Entry{Fate: Undeclared, Client: "local", Body: Body{SHA256: digestOf("x"), Size: 1}})
	add(t, j, Entry{Fate: Denied, Client: "local"})
	if r := d.verify(t, VerifyOptions{}); r.Verified || r.Unsigned != 2 || r.Lines != 0 || len(r.Problems) != 1 {
		t.Errorf("nothing is signed: %+v", r)
	}
	add(t, j, d.entry(t, 0, true))
	r := d.verified(t, 1, VerifyOptions{Line: func(l LineResult) error {
		if l.OK() != (l.Number == 3) || l.Unsigned() == l.OK() {
			t.Errorf("%+v", l)
		}
		return nil
	}})
	if r.Unsigned != 2 || r.Undeclared != 0 || r.Denied != 0 || r.Open != 1 {
		t.Errorf("%+v", r)
	}
	wanted := VerifyOptions{Receipts: []Receipt{undeclared}}
	if r := d.verify(t, wanted); r.Verified {
		t.Errorf("a receipt of a line that nothing signs: %+v", r)
	}
	closeJournal(t, j)
	if r := d.verified(t, 3, wanted); r.Unsigned != 0 || r.Undeclared != 1 || r.Denied != 1 {
		t.Errorf("%+v", r)
	}
}

// The first segment that must be there is not there, whether it would come before the others or after them.
func TestFirstMissing(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	add(t, j, d.entry(t, 0, true))
	closeJournal(t, j)
	if r, err := Verify(ctx, d.verifier, d.dir, VerifyOptions{First: -1}); err == nil {
		t.Errorf("from segment -1: %+v", r)
	}
	d.verified(t, 1, VerifyOptions{First: 1})
	for _, first := range []int{2, 9} {
		if r := d.verify(t, VerifyOptions{First: first}); r.Verified || len(r.Problems) != 1 {
			t.Errorf("%d: %+v", first, r)
		}
	}
}
