package policy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
)

// TestChangedRejection: what is added to the file of a rejection after it was signed does not make it a stranger's.
func TestChangedRejection(t *testing.T) {
	ci, bob, eve, c := newSigner(t), newSigner(t), newSigner(t), newClock(t)
	p := policyOf(t, ci, c.certificates(t)+"approvals:\n  required: 0\n  approvers:\n"+
		"    - {name: bob, keys: [{key: "+pemOf(t, bob)+"}]}\n"+
		"    - {name: carol, certificates: [{identity: carol@acme.example, issuer: https://acme.example}]}\n")
	no := ApprovalStatement{Identity: parse(t, declarationText).ID(), Decision: Rejected, Reason: "no"}
	type object = map[string]any
	edit := func(a Approval, change func(bundle object, signatures []any) []any) Approval {
		text, err := a.Bundle.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var bundle object
		if err := json.Unmarshal(text, &bundle); err != nil {
			t.Fatal(err)
		}
		envelope := bundle["dsseEnvelope"].(object)
		envelope["signatures"] = change(bundle, envelope["signatures"].([]any))
		if text, err = json.Marshal(bundle); err != nil {
			t.Fatal(err)
		}
		b, err := attest.ParseBundle(text)
		if err != nil {
			t.Fatal(err)
		}
		return Approval{"a", b}
	}
	junk := map[string]any{"sig": "c3RyYW5nZQ=="}
	twice := func(_ object, s []any) []any { return append(s, s[0]) }
	behind := func(_ object, s []any) []any { return append(s, junk) }
	before := func(_ object, s []any) []any { return append([]any{junk, junk}, s...) }
	other, err := signApproval(t, no, c.certify(t, "mallory@acme.example", "https://acme.example")).Bundle.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	certified := func(bundle object, s []any) []any {
		var from object
		if err := json.Unmarshal(other, &from); err != nil {
			t.Fatal(err)
		}
		bundle["verificationMaterial"] = from["verificationMaterial"]
		return s
	}
	byBob, byCarol := signApproval(t, no, bob), signApproval(t, no, c.certify(t, "carol@acme.example", "https://acme.example"))
	byEve := signApproval(t, no, eve)
	for name, tt := range map[string]struct {
		given Approval
		who   string
	}{
		"doubled":                    {edit(byBob, twice), "bob"},
		"one behind":                 {edit(byBob, behind), "bob"},
		"two before":                 {edit(byBob, before), "bob"},
		"another's certificate":      {edit(byBob, certified), "bob"},
		"certified, doubled":         {edit(byCarol, twice), "carol"},
		"certified, one behind":      {edit(byCarol, behind), "carol"},
		"a stranger's":               {edit(byEve, twice), ""},
		"a stranger's, certificate":  {edit(byEve, certified), ""},
		"about another":              {edit(signApproval(t, ApprovalStatement{Identity: parse(t, strings.Replace(declarationText, "hello", "bye", 1)).ID(), Decision: Rejected, Reason: "no"}, bob), twice), ""},
		"a run, and not a rejection": {edit(Approval{"a", signRun(t, declarationText, bob)}, twice), ""},
	} {
		d := decide(t, p, declarationText, ci, tt.given)
		want := "approvals: what " + tt.who + " has signed about the run cannot be read, and may be a rejection: "
		if got := told(d); tt.who == "" && got != "allowed" || tt.who != "" && !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
