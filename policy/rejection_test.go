package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// stampedWith has evidence of the test's own beside a signature.
type stampedWith struct{ evidence.Material }

func (w stampedWith) Witness(context.Context, evidence.Envelope) (evidence.Material, error) {
	return w.Material, nil
}

// TestRejectionAtAnyTime: a rejection counts as soon as an approver has signed it, whatever evidence of time is asked for and
// whatever the clocks say. Decisions about the past alone leave out what is dated later.
func TestRejectionAtAnyTime(t *testing.T) {
	by, bob, eve, c, strange := newSigner(t), newSigner(t), newSigner(t), newClock(t), newClock(t)
	carol := c.certify(t, "carol@acme.example", "https://acme.example")
	id := parse(t, declarationText).ID()
	sign := func(verdict Verdict, who signer.Signer, witness evidence.Witness) Approval {
		claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: verdict, Reason: "because"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.Sign(ctx, claim, who, attest.SignOptions{Witness: witness})
		if err != nil {
			t.Fatal(err)
		}
		return Approval{"a", b}
	}
	year := time.Now().UTC().Year()
	ended, later := fmt.Sprintf("notAfter: %d-01-01T00:00:00Z, ", year-1), fmt.Sprintf("notBefore: %d-01-01T00:00:00Z, ", year+2)
	const byBob, byCarol = "approvals: rejected by bob: because", "approvals: rejected by carol (legal): because"
	hour := time.Now().Add(time.Hour)
	nonsense := stampedWith{evidence.Material{Timestamps: [][]byte{{1}}}}
	run := c.run(t, by)
	cases := map[string]struct {
		no           Approval
		want, replay string // the second an hour ago; all evidence is of today
	}{
		"dated":                        {sign(Rejected, bob, c), byBob, "allowed"},
		"undated":                      {sign(Rejected, bob, nil), byBob, byBob},
		"dated by a stranger":          {sign(Rejected, bob, strange), byBob, byBob},
		"dated by nonsense":            {sign(Rejected, bob, nonsense), byBob, byBob},
		"certified":                    {sign(Rejected, carol, c), byCarol, "allowed"},
		"certified, undated":           {sign(Rejected, carol, nil), byCarol, byCarol},
		"certified, dated by nonsense": {sign(Rejected, carol, nonsense), byCarol, byCarol},
		"by a stranger":                {sign(Rejected, eve, c), "allowed", "allowed"},
		"certified elsewhere":          {sign(Rejected, strange.certify(t, "carol@acme.example", "https://acme.example"), nil), "allowed", "allowed"},
		"certified for another":        {sign(Rejected, c.certify(t, "dave@acme.example", "https://acme.example"), nil), "allowed", "allowed"},
	}
	undated := map[string]Approval{"key": sign(Approved, bob, nil), "certificate": sign(Approved, carol, nil)}
	for _, evidence := range []string{"none", "timestamp"} {
		for window, limits := range map[string]string{"no window": "", "ended": ended, "later": later} {
			p := policyOf(t, by, c.certificates(t)+"approvals:\n  required: 0\n  evidence: "+evidence+"\n  approvers:\n"+
				"    - {name: bob, keys: [{"+limits+"key: "+pemOf(t, bob)+"}]}\n"+
				"    - {name: carol, role: legal, certificates: [{identity: carol@acme.example, issuer: https://acme.example}]}\n")
			v, err := p.Verifier().Verify(ctx, run, attest.Expect{})
			if err != nil {
				t.Fatal(err)
			}
			for name, tt := range cases {
				for when, at := range map[string]struct {
					given Given
					want  string
				}{
					"now":                 {Given{Now: hour}, tt.want},
					"slow clock":          {Given{Now: hour.Add(-2 * time.Hour)}, tt.want},
					"replay of tomorrow":  {Given{Now: hour, Replay: true}, tt.want},
					"replay of yesterday": {Given{Now: hour.Add(-25 * time.Hour), Replay: true}, tt.replay},
				} {
					at.given.Approvals = []Approval{tt.no}
					d, err := p.Evaluate(ctx, v, at.given)
					if err != nil || told(d) != at.want {
						t.Errorf("evidence %s, %s, %s, %s: got %s, %v, want %s", evidence, window, name, when, told(d), err, at.want)
					}
					rejected, err := p.Rejections(ctx, at.given)
					if got := "approvals: rejected by " + rejected[id]; err != nil || len(rejected) > 0 && got != at.want || len(rejected) == 0 && at.want != "allowed" {
						t.Errorf("evidence %s, %s, %s, %s: rejected %q, %v, want %q", evidence, window, name, when, rejected, err, at.want)
					}
				}
			}
			// an approval needs what the policy asks for
			for name, yes := range undated {
				d, err := p.Evaluate(ctx, v, Given{Approvals: []Approval{yes}, Now: hour})
				if err != nil || d.Approvals[0].Counted != (name == "key" && evidence == "none" && limits == "") {
					t.Errorf("evidence %s, %s: undated approval by a %s: %+v, %v", evidence, window, name, d.Approvals, err)
				}
			}
		}
	}
}

// TestUnreadAtAnyTime: so does what may be a rejection, since it cannot be read.
func TestUnreadAtAnyTime(t *testing.T) {
	by, bob, c := newSigner(t), newSigner(t), newClock(t)
	id := parse(t, declarationText).ID()
	p := policyOf(t, by, c.root(t)+"approvals: {required: 0, evidence: timestamp, approvers: [{name: bob, keys: [{notAfter: 2020-01-01T00:00:00Z, key: "+pemOf(t, bob)+"}]}]}\n")
	v, err := p.Verifier().Verify(ctx, c.run(t, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	run := attest.Subject{Name: id.String(), SHA256: id.Digest()}
	claim, err := attest.NewClaim(ApprovalType, []attest.Subject{run}, map[string]any{"identity": id.String(), "decision": "no"})
	if err != nil {
		t.Fatal(err)
	}
	undated, err := attest.Sign(ctx, claim, bob, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*attest.Bundle{"dated": c.stamped(t, claim, bob), "undated": undated} {
		d, err := p.Evaluate(ctx, v, Given{Approvals: []Approval{{"a", b}}, Now: now})
		const want = "approvals: what bob has signed about the run cannot be read, and may be a rejection: "
		if err != nil || !strings.HasPrefix(told(d), want) {
			t.Errorf("%s: got %s, %v, want %s", name, told(d), err, want)
		}
	}
}

// TestRejectedAncestorAtAnyTime: to rules, too, an ancestor is rejected as a run is.
func TestRejectedAncestorAtAnyTime(t *testing.T) {
	k := newLineageTest(t, "")
	k.Policy = policyOf(t, k.ci, newClock(t).root(t)+"approvals: {required: 0, evidence: timestamp, approvers: [{name: bob, keys: [{notAfter: 2020-01-01T00:00:00Z, key: "+pemOf(t, k.bob)+"}]}]}\n"+
		"rules: [{name: parents, expr: 'ancestors.all(a, !a.approvals.exists(x, x.decision == \"rejected\"))'}]\n")
	graph := k.lineage(k.input("first", k.first, k.ci))
	if d := k.ask(k.second, Given{Lineage: graph}); !d.Allowed {
		t.Fatal(told(d))
	}
	if d := k.ask(k.second, Given{Lineage: graph, Approvals: []Approval{k.says(k.first, Rejected, k.bob)}}); d.Allowed {
		t.Error("a rejection of an ancestor is not heeded")
	}
}

// TestRehearsedRejection: a rehearsal counts a rejection as a verification does.
func TestRehearsedRejection(t *testing.T) {
	by, bob, c := newSigner(t), newSigner(t), newClock(t)
	p := policyOf(t, by, c.root(t)+"approvals: {required: 0, evidence: timestamp, approvers: [{name: bob, keys: [{notAfter: 2026-01-01T00:00:00Z, key: "+pemOf(t, bob)+"}]}]}\n")
	for name, signed := range map[string]time.Time{"undated": {}, "outside the window": now, "after the decision": now.Add(time.Hour), "inside": now.AddDate(-1, 0, 0)} {
		d, err := p.Rehearse(ctx, Rehearsal{
			Declaration: parse(t, declarationText), Now: now,
			Approvals: []RehearsedApproval{{Approver: "bob", Decision: Rejected, Reason: "no", Signed: signed}},
		})
		if got := told(d); err != nil || got != "approvals: rejected by bob: no" {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// TestAncestorReport: the report says of an approval that is about an ancestor whether it counts for that ancestor.
func TestAncestorReport(t *testing.T) {
	k := newLineageTest(t, "")
	approvers := "approvals: {required: 0, approvers: [{name: bob, role: legal, keys: [{key: " + pemOf(t, k.bob) + "}]}, {name: alice, keys: [{key: " + pemOf(t, k.alice) + "}]}]}\n"
	k.Policy = policyOf(t, k.ci, approvers+"rules: [{name: parents, expr: 'ancestors.all(a, a.approved)'}]\n")
	graph := k.lineage(k.input("first", k.first, k.ci))
	first := parse(t, k.first).ID()
	unread, err := attest.NewClaim(ApprovalType, []attest.Subject{{Name: first.String(), SHA256: first.Digest()}}, map[string]any{"identity": first.String()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.Sign(ctx, unread, k.bob, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ended := signApproval(t, ApprovalStatement{Identity: first, Decision: Rejected, Reason: "no", Expires: now}, k.bob)
	for name, c := range map[string]struct {
		given   Approval
		counts  bool
		want    string
		allowed bool // beside an approval of the ancestor
	}{
		"rejection":         {k.says(k.first, Rejected, k.bob), true, " of the ancestor " + first.String() + ": rejected by bob (legal): ", false},
		"approval":          {k.says(k.first, Approved, k.bob), true, " of the ancestor " + first.String() + ": approved by bob (legal): ", true},
		"expired rejection": {ended, false, " does not count: is about an ancestor, " + first.String() + ", and expired at 2026-11-24T12:00:00Z", true},
		"unreadable":        {Approval{"a", b}, false, "; it may be a rejection of the ancestor " + first.String(), false},
	} {
		d := k.ask(k.second, Given{Lineage: graph, Approvals: []Approval{k.says(k.first, Approved, k.alice), c.given}})
		got := d.Approvals[1]
		if d.Allowed != c.allowed || !strings.Contains(got.String(), c.want) || got.Counted || got.Ancestor.IsZero() == c.counts {
			t.Errorf("%s: allowed %v, %s, %+v\nwant %s", name, d.Allowed, got, got, c.want)
		}
	}
	k.Policy = policyOf(t, k.ci, approvers+"rules: [{name: parents, expr: 'ancestors.all(a, !a.approvals.exists(x, x.decision == \"rejected\"))'}]\n")
	d := k.ask(k.second, Given{Lineage: k.lineage(k.input("first", k.first, k.ci)), Approvals: []Approval{{"a", b}}})
	if want := "what bob has signed about the ancestor " + first.String() + " cannot be read, and may be a rejection: "; d.Allowed || !strings.Contains(told(d), want) {
		t.Errorf("a rule about rejections, beside what cannot be read: %s, want %s", told(d), want)
	}
}

// TestRejectionWithoutSCT: where certificates must be in a certificate transparency log, one that is not approves nothing, and
// rejects all the same.
func TestRejectionWithoutSCT(t *testing.T) {
	c, ci := newClock(t), newSigner(t)
	carol, mallory := c.certify(t, "carol@acme.example", "https://acme.example"), c.certify(t, "mallory@acme.example", "https://acme.example")
	made, err := root.NewTrustedRoot(root.TrustedRootMediaType01, c.FulcioCertificateAuthorities(), c.RekorLogs(), c.TimestampingAuthorities(), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	p := policyOf(t, ci, "trustedRoot: "+string(text)+"\napprovals:\n  required: 0\n  approvers:\n"+
		"    - {name: carol, certificates: [{identity: carol@acme.example, issuer: https://acme.example}]}\n")
	id := parse(t, declarationText).ID()
	say := func(decision Verdict, by signer.Signer) Approval {
		claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: decision, Reason: "a reason"})
		if err != nil {
			t.Fatal(err)
		}
		return Approval{"a", c.stamped(t, claim, by)}
	}
	for name, tt := range map[string]struct {
		given   Approval
		want    string
		counted bool
	}{
		"a rejection":   {say(Rejected, carol), "approvals: rejected by carol: a reason", true},
		"an approval":   {say(Approved, carol), "allowed", false},
		"of a stranger": {say(Rejected, mallory), "allowed", false},
	} {
		d := decide(t, p, declarationText, ci, tt.given)
		if told(d) != tt.want || d.Approvals[0].Counted != tt.counted {
			t.Errorf("%s: %s: %+v, want %s", name, told(d), d.Approvals[0], tt.want)
		}
		if name == "an approval" && !strings.Contains(d.Approvals[0].Why, "no signed certificate timestamp") {
			t.Errorf("%s: %s", name, d.Approvals[0].Why)
		}
	}
}

// TestRejectionAmongMany: what an approver has signed and cannot be read may reject each run whose digest it has. Where it has
// more than are looked for, nothing is decided: the run's may be among the others.
func TestRejectionAmongMany(t *testing.T) {
	by, bob, eve := newSigner(t), newSigner(t), newSigner(t)
	p := policyOf(t, by, "approvals: {required: 0, approvers: [{name: bob, keys: [{key: "+pemOf(t, bob)+"}]}]}\n")
	id := parse(t, declarationText).ID()
	v, err := p.Verifier().Verify(ctx, signRun(t, declarationText, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(who signer.Signer, others int) []Approval {
		var text strings.Builder
		text.WriteString("rejected:\n")
		for i := range others {
			fmt.Fprintf(&text, "%064x\n", i+1)
		}
		envelope := evidence.Envelope{PayloadType: attest.PayloadType, Payload: []byte(text.String() + id.Hex() + "\n")}
		signature, err := who.Sign(ctx, envelope.Message())
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(map[string]any{
			"payloadType": envelope.PayloadType, "payload": envelope.Payload, "signatures": []map[string]any{{"sig": signature}},
		})
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.ParseBundle(data)
		if err != nil {
			t.Fatal(err)
		}
		return []Approval{{"list.json", b}}
	}
	const unread, vague = "approvals: what bob has signed about the run cannot be read, and may be a rejection: ", "approval list.json: it cannot be read, and names more than 1000 digests"
	for name, c := range map[string]struct {
		given []Approval
		want  string
	}{
		"as many as are looked for": {sign(bob, limits.Subjects-1), unread},
		"more":                      {sign(bob, limits.Subjects), vague},
		"many more":                 {sign(bob, 10*limits.Subjects), vague},
		"more, by a stranger":       {sign(eve, limits.Subjects), "allowed"},
	} {
		d, err := p.Evaluate(ctx, v, Given{Approvals: c.given, Now: now})
		rejected, err2 := p.Rejections(ctx, Given{Approvals: c.given, Now: now})
		switch c.want {
		case vague:
			if d != nil || err == nil || !strings.HasPrefix(err.Error(), c.want) || rejected != nil || err2 == nil {
				t.Errorf("%s: decided %v, %v; rejected %v, %v", name, d, err, rejected, err2)
			}
		default:
			if err != nil || !strings.HasPrefix(told(d), c.want) || (rejected[id] != "") != (c.want == unread) || err2 != nil {
				t.Errorf("%s: %v, %v; rejected %v, %v", name, d, err, rejected, err2)
			}
		}
	}
}
