package policy

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

// clock is a timestamp authority of the test's own, which stamps with the real time.
type clock struct{ *ca.VirtualSigstore }

func newClock(t testing.TB) clock {
	t.Helper()
	v, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	return clock{v}
}

func (c clock) Witness(_ context.Context, e evidence.Envelope) (evidence.Material, error) {
	stamp, err := c.TimestampResponse(e.Signature)
	return evidence.Material{Timestamps: [][]byte{stamp}}, err
}

// root is the member trustedRoot of a policy that believes the clock.
func (c clock) root(t testing.TB) string {
	t.Helper()
	made, err := root.NewTrustedRoot(root.TrustedRootMediaType01, nil, nil, c.TimestampingAuthorities(), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return "trustedRoot: " + string(text) + "\n"
}

func (c clock) stamped(t testing.TB, s attest.Signable, by signer.Signer) *attest.Bundle {
	t.Helper()
	b, err := attest.Sign(ctx, s, by, attest.SignOptions{Witness: c})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c clock) run(t testing.TB, by signer.Signer) *attest.Bundle {
	t.Helper()
	s, err := attest.New(parse(t, declarationText), attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c.stamped(t, s, by)
}

// TestStart: a run is signed before it starts, and not too long before.
func TestStart(t *testing.T) {
	by, c := newSigner(t), newClock(t)
	b := c.run(t, by)
	text := header(t, by) + c.root(t) + "time: {evidence: timestamp, startWithin: 24h}\nrules: [{name: r, expr: 'time.verified && time.earliest <= now && time.timestamps[0].kind == \"timestamp\"'}]\n"
	p, err := Parse([]byte(text), options)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Verifier().Verify(ctx, b, attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	signed := v.Times()[0].Time
	for _, tt := range []struct {
		now  time.Time
		want string
	}{
		{signed, "allowed"},
		{signed.Add(24 * time.Hour), "allowed"},
		{signed.Add(24*time.Hour + time.Second), "24h0m1s before the start at"},
		{signed.Add(-time.Second), "which is after the start at"},
	} {
		d, err := p.Evaluate(ctx, v, Given{Now: tt.now})
		if err != nil || !strings.Contains(told(d), tt.want) || d.Allowed != (tt.want == "allowed") {
			t.Errorf("at %v: %s, %v; want %s", tt.now, told(d), err, tt.want)
		}
	}
	// without the evidence nothing is verified, so that nothing can be judged
	if v, err := p.Verifier().Verify(ctx, signRun(t, declarationText, by), attest.Expect{}); err == nil {
		t.Errorf("verified without a timestamp: %v", v)
	}
}

// TestWindows: what is signed outside a key's validity does not count, and says so.
func TestWindows(t *testing.T) {
	by, bob, carol, c := newSigner(t), newSigner(t), newSigner(t), newClock(t)
	id := parse(t, declarationText).ID()
	claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"})
	if err != nil {
		t.Fatal(err)
	}
	stamped := Approval{"stamped", c.stamped(t, claim, bob)}
	undated := signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}, bob)
	year := time.Now().UTC().Year()
	for name, tt := range map[string]struct {
		window string
		given  Approval
		why    string
	}{
		"inside":           {fmt.Sprintf("notBefore: %d-01-01T00:00:00Z, notAfter: %d-01-01T00:00:00Z", year-1, year+2), stamped, ""},
		"after the end":    {fmt.Sprintf("notAfter: %d-01-01T00:00:00Z", year-1), stamped, "outside the validity of key bob"},
		"before the start": {fmt.Sprintf("notBefore: %d-01-01T00:00:00Z", year+2), stamped, "outside the validity of key bob"},
		"undated":          {fmt.Sprintf("notAfter: %d-01-01T00:00:00Z", year+2), undated, "by bob: not verified: time: no trusted timestamp"},
	} {
		p, err := Parse([]byte(header(t, by)+c.root(t)+"approvals: {required: 1, approvers: [{name: bob, keys: [{"+tt.window+", key: "+pemOf(t, bob)+"}]}, {name: carol, keys: [{key: "+pemOf(t, carol)+"}]}]}\n"), options)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Verifier().Verify(ctx, c.run(t, by), attest.Expect{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.Evaluate(ctx, v, Given{Approvals: []Approval{tt.given}, Now: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Approvals[0]; got.Counted != (tt.why == "") || d.Allowed != (tt.why == "") || !strings.Contains(got.Why, tt.why) {
			t.Errorf("%s: %+v, want %s", name, got, tt.why)
		}
		// a decision as of before the approval does not know of it
		if d, err = p.Evaluate(ctx, v, Given{Approvals: []Approval{tt.given}, Now: time.Now().Add(-time.Hour)}); err != nil || d.Allowed {
			t.Errorf("%s: an hour ago: %s, %v", name, told(d), err)
		}
	}
}

// TestRehearsedTimes: a rehearsal counts no signature that a verification would not, for want of a time or outside a key's window.
func TestRehearsedTimes(t *testing.T) {
	by, bob, top := newSigner(t), newSigner(t), pkitest.Root("a.example")
	authorities := "trustedRoot: " + rootText(t, sigstore.RootSpec{ // the certificates are valid from 2026 to 2046
		TimestampAuthorities:   []sigstore.AuthoritySpec{{URL: "https://a.example", Chain: pkitest.PEM(top.Issue("a.example stamps", pkitest.Stamper), top)}},
		CertificateAuthorities: []sigstore.AuthoritySpec{{URL: "https://ca.example", Chain: pkitest.PEM(pkitest.Root("ca.example")), End: now.AddDate(1, 0, 0)}},
	}) + "\n"
	const year = "notBefore: 2026-10-01T00:00:00Z, notAfter: 2027-01-01T00:00:00Z, "
	p := func(signs, approves, evidence string) *Policy {
		text := strings.Replace(header(t, by), "key: ", signs+"key: ", 1) + authorities +
			"approvals: {required: 1, evidence: " + evidence + ", approvers: [{name: bob, keys: [{" + approves + "key: " + pemOf(t, bob) + "}]}]}\n"
		p, err := Parse([]byte(text), options)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var never time.Time
	inside, outside := now, now.AddDate(0, -6, 0)
	const unapproved = "approvals: 0 of 1 approvals: no approver has approved; want 1 of bob"
	for name, tt := range map[string]struct {
		policy           *Policy
		signed, approved time.Time
		want             string
	}{
		"none asked for":         {p("", "", "none"), never, never, "allowed"},
		"an approval's evidence": {p("", "", "timestamp"), never, inside, "allowed"},
		"no evidence":            {p("", "", "timestamp"), never, never, unapproved},
		"approver's window":      {p("", year, "none"), never, inside, "allowed"},
		"approver too early":     {p("", year, "none"), never, outside, unapproved},
		"approver at no time":    {p("", year, "none"), never, never, unapproved},
		"window":                 {p(year, "", "none"), inside, never, "allowed"},
		"too early":              {p(year, "", "none"), outside, never, "time: signed at 2026-05-24T12:00:00Z, outside the validity of key ci"},
		"at no time":             {p(year, "", "none"), never, never, "time: no trusted time: key ci signs in a certain time only"},
	} {
		d, err := tt.policy.Rehearse(ctx, Rehearsal{
			Declaration: parse(t, declarationText), Signed: tt.signed, Now: now,
			Approvals: []RehearsedApproval{{Approver: "bob", Decision: Approved, Reason: "ok", Signed: tt.approved}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tt.policy.Rehearse(ctx, Rehearsal{Declaration: parse(t, declarationText), Signer: "eve@acme.example", Issuer: "https://acme.example", Now: now}); err == nil {
			t.Errorf("%s: a certificate that the policy does not name is rehearsed", name)
		}
		if got := told(d); got != tt.want || d.Allowed != (tt.want == "allowed") {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
	const certificate = "[{identity: alice@acme.example, issuer: https://acme.example}]"
	certified, err := Parse([]byte("schema: "+Schema+"\n"+authorities+"signers: {keys: [{name: ci, key: "+pemOf(t, by)+"}], certificates: "+certificate+"}\n"+
		"approvals: {required: 1, evidence: none, approvers: [{name: carol, certificates: [{identity: carol@acme.example, issuer: https://acme.example}]}]}\n"), options)
	if err != nil {
		t.Fatal(err)
	}
	const noApproval = "approvals: 0 of 1 approvals: no approver has approved; want 1 of carol"
	for name, tt := range map[string]struct {
		signer           string
		signed, approved time.Time
		want             string
	}{
		"certificates":             {"alice@acme.example", inside, inside, "allowed"},
		"a certificate at no time": {"alice@acme.example", never, inside, "time: no trusted time, without which a certificate proves nothing"},
		"an approval at no time":   {"", never, never, noApproval},
	} {
		r := Rehearsal{
			Declaration: parse(t, declarationText), Signer: tt.signer, Signed: tt.signed, Now: now.AddDate(30, 0, 0),
			Approvals: []RehearsedApproval{{Approver: "carol", Decision: Approved, Reason: "ok", Signed: tt.approved}},
		}
		if tt.signer != "" {
			r.Issuer = "https://acme.example"
		}
		d, err := certified.Rehearse(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if got := told(d); got != tt.want || d.Allowed != (tt.want == "allowed") {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// TestTimeBehindApprovals: the time of a decision is asked for behind the verification of the approvals, which may take long.
func TestTimeBehindApprovals(t *testing.T) {
	by := newSigner(t)
	p := policyOf(t, by, "approvals: {required: 0, approvers: [{name: alice, keys: [{key: "+pemOf(t, newSigner(t))+"}]}]}\nrules: [{name: may, expr: 'now < timestamp(\"2026-06-01T13:00:00Z\")'}]\n")
	v, err := p.Verifier().Verify(ctx, signRun(t, declarationText, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	given := Given{Now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Time: func() time.Time { asked++; return time.Date(2026, 6, 1, 14, 0, 0, 0, time.UTC) }}
	if d, err := p.Evaluate(ctx, v, given); err != nil || d.Allowed || asked != 1 || d.Now.Hour() != 14 {
		t.Errorf("%s, %v, asked %d times", told(d), err, asked)
	}
	asked, given.Approvals = 0, []Approval{{Source: "nothing"}} // which cannot be verified
	if _, err := p.Evaluate(ctx, v, given); err == nil || asked > 0 {
		t.Errorf("asked %d times before the approvals were verified, %v", asked, err)
	}
	given = Given{Time: func() time.Time { return time.Time{} }}
	if _, err := p.Evaluate(ctx, v, given); err == nil {
		t.Error("the zero time: no error")
	}
}
