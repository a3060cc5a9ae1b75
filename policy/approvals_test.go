package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/signer"
)

// panel is a policy of two of three approvers, one for security; alice has two keys.
type panel struct {
	ci, alice, laptop, bob, carol, eve signer.Signer
	*Policy
}

func newPanel(t testing.TB) *panel {
	t.Helper()
	p := &panel{newSigner(t), newSigner(t), newSigner(t), newSigner(t), newSigner(t), newSigner(t), nil}
	key := func(s signer.Signer) string { return "{key: " + pemOf(t, s) + "}" }
	p.Policy = policyOf(t, p.ci, "approvals:\n  required: 2\n  roles: {security: 1}\n  approvers:\n"+
		"    - {name: alice, role: security, keys: ["+key(p.alice)+", "+key(p.laptop)+"]}\n"+
		"    - {name: bob, keys: ["+key(p.bob)+"]}\n"+
		"    - {name: carol, role: security, keys: ["+key(p.carol)+"]}\n"+
		"    - {name: ci, keys: ["+key(p.ci)+"]}\n")
	return p
}

func signApproval(t testing.TB, s ApprovalStatement, by signer.Signer) Approval {
	t.Helper()
	claim, err := NewApproval(s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.Sign(ctx, claim, by, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return Approval{"a", b}
}

func TestApprovals(t *testing.T) {
	p := newPanel(t)
	id := parse(t, declarationText).ID()
	other := parse(t, strings.Replace(declarationText, "hello", "bye", 1)).ID()
	yes := func(by signer.Signer) Approval {
		return signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}, by)
	}
	no := func(by signer.Signer) Approval {
		return signApproval(t, ApprovalStatement{Identity: id, Decision: Rejected, Reason: "not ours"}, by)
	}
	until := func(at time.Time, by signer.Signer) Approval {
		return signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok", Expires: at}, by)
	}
	foreign := signApproval(t, ApprovalStatement{Identity: other, Decision: Approved, Reason: "ok"}, p.bob)
	foreignNo := signApproval(t, ApprovalStatement{Identity: other, Decision: Rejected, Reason: "no"}, p.bob)
	run := Approval{"run", signRun(t, declarationText, p.bob)}
	const none = `approvals: 0 of 2 approvals: no approver has approved; want 2 of alice, bob, carol, ci | approvals: 0 of 1 approvals of role "security": ask one of alice, carol`
	const onlyAlice = "approvals: 1 of 2 approvals: approved by alice; want 2 of alice, bob, carol, ci"
	for name, c := range map[string]struct {
		given     []Approval
		want, why string
	}{
		"none":                     {nil, none, ""},
		"two":                      {[]Approval{yes(p.alice), yes(p.bob)}, "allowed", ""},
		"three":                    {[]Approval{yes(p.alice), yes(p.bob), yes(p.carol)}, "allowed", ""},
		"two of security":          {[]Approval{yes(p.alice), yes(p.carol)}, "allowed", ""},
		"one":                      {[]Approval{yes(p.alice)}, onlyAlice, ""},
		"one twice":                {[]Approval{yes(p.alice), yes(p.alice)}, onlyAlice, ""},
		"two keys of one":          {[]Approval{yes(p.alice), yes(p.laptop)}, onlyAlice, ""},
		"no security":              {[]Approval{yes(p.bob)}, `approvals: 1 of 2 approvals: approved by bob; want 2 of alice, bob, carol, ci | approvals: 0 of 1 approvals of role "security": ask one of alice, carol`, ""},
		"untrusted":                {[]Approval{yes(p.alice), yes(p.eve)}, onlyAlice, "is signed by none of 4 approvers"},
		"untrusted no":             {[]Approval{yes(p.alice), yes(p.bob), no(p.eve)}, "allowed", "is signed by none of 4 approvers"},
		"own":                      {[]Approval{yes(p.alice), yes(p.ci)}, onlyAlice, "who cannot approve it"},
		"own no":                   {[]Approval{yes(p.alice), yes(p.bob), no(p.ci)}, "approvals: rejected by ci: not ours", ""},
		"foreign":                  {[]Approval{yes(p.alice), foreign}, onlyAlice, "is about another run, " + other.String()},
		"foreign no":               {[]Approval{yes(p.alice), yes(p.bob), foreignNo}, "allowed", "is about another run"},
		"expired":                  {[]Approval{yes(p.alice), until(now, p.bob)}, onlyAlice, "expired at 2026-11-24T12:00:00Z"},
		"not yet expired":          {[]Approval{yes(p.alice), until(now.Add(time.Second), p.bob)}, "allowed", ""},
		"rejection first":          {[]Approval{no(p.carol), yes(p.alice), yes(p.bob)}, "approvals: rejected by carol (security): not ours", ""},
		"rejection last":           {[]Approval{yes(p.alice), yes(p.bob), no(p.carol)}, "approvals: rejected by carol (security): not ours", ""},
		"rejection by an approver": {[]Approval{yes(p.alice), yes(p.bob), no(p.bob)}, "approvals: rejected by bob: not ours", ""},
		"a run":                    {[]Approval{yes(p.alice), run}, onlyAlice, "predicateType is"},
	} {
		d := decide(t, p.Policy, declarationText, p.ci, c.given...)
		if got := told(d); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
		var why []string
		for _, a := range d.Approvals {
			why = append(why, a.Why)
		}
		if !strings.Contains(strings.Join(why, "|"), c.why) || c.why == "" && strings.Join(why, "") != "" {
			t.Errorf("%s: why %q, want %q", name, why, c.why)
		}
		if len(d.Approvals) != len(c.given) {
			t.Errorf("%s: %d of %d approvals listed", name, len(d.Approvals), len(c.given))
		}
	}
}

// TestEverySubset holds k of n against counting, for every set of approvals.
func TestEverySubset(t *testing.T) {
	p := newPanel(t)
	id := parse(t, declarationText).ID()
	all := []struct {
		by       signer.Signer
		person   string
		security bool
	}{{p.alice, "alice", true}, {p.laptop, "alice", true}, {p.bob, "bob", false}, {p.carol, "carol", true}, {p.eve, "", false}}
	var signed []Approval
	for _, a := range all {
		signed = append(signed, signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}, a.by))
	}
	for set := range 1 << len(all) {
		var given []Approval
		people, security := map[string]bool{}, false
		for i, a := range all {
			if set&(1<<i) != 0 {
				given = append(given, signed[i])
				if a.person != "" {
					people[a.person] = true
				}
				security = security || a.security
			}
		}
		if got, want := decide(t, p.Policy, declarationText, p.ci, given...).Allowed, len(people) >= 2 && security; got != want {
			t.Errorf("set %05b: %v, want %v", set, got, want)
		}
	}
}

// TestMalformedApproval: a trusted approver signs a statement that is not an approval.
func TestMalformedApproval(t *testing.T) {
	p := newPanel(t)
	id := parse(t, declarationText).ID()
	run := attest.Subject{Name: id.String(), SHA256: id.Digest()}
	good := func() map[string]any {
		return map[string]any{"identity": id.String(), "decision": "approved", "reason": "ok"}
	}
	for name, c := range map[string]struct {
		subjects []attest.Subject
		change   func(map[string]any)
		why      string
	}{
		"good":             {[]attest.Subject{run}, func(map[string]any) {}, ""},
		"unknown member":   {[]attest.Subject{run}, func(m map[string]any) { m["Reason"] = "x" }, `unknown member "Reason"`},
		"no decision":      {[]attest.Subject{run}, func(m map[string]any) { delete(m, "decision") }, "decision is"},
		"another decision": {[]attest.Subject{run}, func(m map[string]any) { m["decision"] = "Approved" }, "decision is"},
		"decision true":    {[]attest.Subject{run}, func(m map[string]any) { m["decision"] = true }, "is of type boolean"},
		"no reason":        {[]attest.Subject{run}, func(m map[string]any) { m["reason"] = "" }, "reason: want the reason"},
		"null":             {[]attest.Subject{run}, func(m map[string]any) { m["expires"] = nil }, "expires"},
		"expires local":    {[]attest.Subject{run}, func(m map[string]any) { m["expires"] = "2027-01-01T00:00:00+01:00" }, "whole seconds in UTC"},
		"expires never":    {[]attest.Subject{run}, func(m map[string]any) { m["expires"] = "never" }, "want a time"},
		"no conditions":    {[]attest.Subject{run}, func(m map[string]any) { m["conditions"] = []string{} }, "at least one"},
		"condition 5":      {[]attest.Subject{run}, func(m map[string]any) { m["conditions"] = []int{5} }, "want strings"},
		"no identity":      {[]attest.Subject{run}, func(m map[string]any) { delete(m, "identity") }, "identity"},
		"another subject":  {[]attest.Subject{{Name: run.Name, SHA256: [32]byte{1}}}, func(map[string]any) {}, "subject: want the run"},
		"another name":     {[]attest.Subject{{Name: "run", SHA256: run.SHA256}}, func(map[string]any) {}, "subject: want the run"},
		"two subjects":     {[]attest.Subject{run, {Name: "x", SHA256: [32]byte{1}}}, func(map[string]any) {}, "subject: want the run"},
	} {
		predicate := good()
		c.change(predicate)
		claim, err := attest.NewClaim(ApprovalType, c.subjects, predicate)
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := attest.Sign(ctx, claim, p.bob, attest.SignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d := decide(t, p.Policy, declarationText, p.ci, Approval{"a", b})
		got := d.Approvals[0]
		if got.Counted != (c.why == "") || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %+v, want %s", name, got, c.why)
		}
		// it may be a rejection, of each run that it names anywhere
		const unread = "approvals: what bob has signed about the run cannot be read, and may be a rejection: "
		if strings.Contains(told(d), unread) != (c.why != "") {
			t.Errorf("%s: %s", name, told(d))
		}
		rejected, err := p.Rejections(ctx, Given{Approvals: []Approval{{"a", b}}, Now: now})
		if err != nil || (rejected[id] != "") != (c.why != "") {
			t.Errorf("%s: rejected %q, %v", name, rejected[id], err)
		}
	}
}

// TestMalformedStatement: an approver rejects with another tool, which writes a Statement that is not as strict as ours.
func TestMalformedStatement(t *testing.T) {
	p := newPanel(t)
	id := parse(t, declarationText).ID()
	yes := ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}
	given := []Approval{signApproval(t, yes, p.alice), signApproval(t, yes, p.bob)}
	claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: Rejected, Reason: "not ours"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		old, new string
		by       signer.Signer
		unread   bool
	}{
		"another digest":     {`"digest":{`, `"digest":{"gitCommit":"aa",`, p.carol, true},
		"another member":     {`"digest":{`, `"uri":"x","digest":{`, p.carol, true},
		"member of the root": {`{"_type"`, `{"x":1,"_type"`, p.carol, true},
		"said twice":         {`"reason":"not ours"`, `"reason":"not ours","reason":"not ours"`, p.carol, true},
		"older in-toto":      {`/Statement/v1`, `/Statement/v0.1`, p.carol, true},
		"upper case":         {fmt.Sprintf("%x", id.Digest()), fmt.Sprintf("%X", id.Digest()), p.carol, true},
		"not JSON":           {`{"_type"`, `_type`, p.carol, true},
		"another subject":    {fmt.Sprintf(`{"sha256":"%x"}`, id.Digest()), `{"sha256":"` + zeros + `1"}`, p.carol, true},
		"another identity":   {`"identity":"` + id.String(), `"identity":"airun:1:sha256:` + zeros + "1", p.carol, true},
		"escaped":            {`{"_type"`, `{"x":1,"_type"`, p.carol, true},
		"escaped, capitals":  {ApprovalType, strings.TrimSuffix(ApprovalType, "v1") + "v2", p.carol, true},
		"too large":          {"not ours", strings.Repeat("x", limits.Approval), p.carol, true},
		"in a URL":           {id.String(), url.QueryEscape(id.String()), p.carol, true},
		"a multihash":        {fmt.Sprintf("%x", id.Digest()), fmt.Sprintf("1220%x", id.Digest()), p.carol, true},
		"digits around":      {fmt.Sprintf("%x", id.Digest()), fmt.Sprintf("%s%x%s", zeros, id.Digest(), zeros), p.carol, true},
		"percent-encoded":    {fmt.Sprintf("%x", id.Digest()), escaped(fmt.Sprintf("%x", id.Digest()), "%%%02X"), p.carol, true},
		"another run":        {fmt.Sprintf("%x", id.Digest()), zeros + "1", p.carol, false},
		"another type":       {ApprovalType, "https://example.com/review/v1", p.carol, false},
		"a later version":    {ApprovalType, strings.TrimSuffix(ApprovalType, "v1") + "v2", p.carol, true},
		"by a stranger":      {ApprovalType, strings.TrimSuffix(ApprovalType, "v1") + "v2", p.eve, false},
		"plain HTTP":         {ApprovalType, strings.Replace(ApprovalType, "https", "http", 1), p.carol, true},
		"capitals":           {ApprovalType, strings.ToUpper(ApprovalType), p.carol, true},
		"a slash":            {ApprovalType, ApprovalType + "/", p.carol, true},
		"UTF-16":             {"", "\x00", p.carol, true}, // of which that is near enough
		"a stranger":         {`{"_type"`, `{"x":1,"_type"`, p.eve, false},
	} {
		payload, digest := strings.ReplaceAll(string(claim.Bytes()), c.old, c.new), fmt.Sprintf("%x", id.Digest())
		switch name {
		case "escaped":
			payload = strings.ReplaceAll(payload, digest, escaped(digest, `\u%04x`))
		case "escaped, capitals":
			payload = strings.ReplaceAll(payload, digest, escaped(strings.ToUpper(digest), `\u%04X`))
		}
		envelope := evidence.Envelope{PayloadType: attest.PayloadType, Payload: []byte(payload)}
		signature, err := c.by.Sign(ctx, envelope.Message())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(map[string]any{
			"payloadType": envelope.PayloadType, "payload": envelope.Payload, "signatures": []map[string]any{{"sig": signature}},
		})
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.ParseBundle(text)
		if err != nil {
			t.Fatal(err)
		}
		d := decide(t, p.Policy, declarationText, p.ci, append(given, Approval{"no", b})...)
		const unread = "approvals: what carol has signed about the run cannot be read, and may be a rejection: "
		if got := told(d); strings.HasPrefix(got, unread) != c.unread || d.Allowed == c.unread || d.Approvals[2].Counted {
			t.Errorf("%s: %s, %+v", name, got, d.Approvals[2])
		}
		rejected, err := p.Rejections(ctx, Given{Approvals: []Approval{{"no", b}}, Now: now})
		if err != nil || (rejected[id] != "") != c.unread {
			t.Errorf("%s: rejected %q, %v", name, rejected[id], err)
		}
	}
}

// escaped is text with each byte as an escape of JSON.
func escaped(text, format string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, format, text[i])
	}
	return b.String()
}

// TestOnePersonTwice: to rules, too, who approves twice is one person, on all the conditions and until the first expires.
func TestOnePersonTwice(t *testing.T) {
	p := newPanel(t)
	id := parse(t, declarationText).ID()
	say := func(by signer.Signer, condition string, until time.Time) Approval {
		return signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: condition, Conditions: []string{condition}, Expires: until}, by)
	}
	soon, later := now.Add(time.Hour), now.Add(2*time.Hour)
	text := header(t, p.ci) + "approvals:\n  required: 0\n  approvers:\n" +
		"    - {name: alice, keys: [{key: " + pemOf(t, p.alice) + "}, {key: " + pemOf(t, p.laptop) + "}]}\n    - {name: bob, keys: [{key: " + pemOf(t, p.bob) + "}]}\n"
	for name, c := range map[string]struct {
		expr  string
		given []Approval
	}{
		"the same key":   {`approvals.size() == 1`, []Approval{say(p.alice, "a", time.Time{}), say(p.alice, "b", time.Time{})}},
		"two keys":       {`approvals.size() == 1`, []Approval{say(p.alice, "a", time.Time{}), say(p.laptop, "b", time.Time{})}},
		"two people":     {`approvals.size() == 2`, []Approval{say(p.alice, "a", time.Time{}), say(p.bob, "b", time.Time{})}},
		"all conditions": {`approvals[0].conditions == ["a", "b"] && approvals[0].reason == "a; b"`, []Approval{say(p.alice, "a", time.Time{}), say(p.laptop, "b", time.Time{})}},
		"sent again":     {`approvals[0].conditions == ["a"] && approvals[0].reason == "a"`, slices.Repeat([]Approval{say(p.alice, "a", time.Time{})}, 9)},
		"the first end":  {fmt.Sprintf(`approvals[0].expires == timestamp(%q)`, stamp(soon)), []Approval{say(p.alice, "a", later), say(p.laptop, "b", soon), say(p.alice, "c", time.Time{})}},
	} {
		policy, err := Parse(fmt.Appendf(nil, "%srules:\n  - {name: r, expr: '%s'}\n", text, c.expr), options)
		if err != nil {
			t.Fatal(err)
		}
		if d := decide(t, policy, declarationText, p.ci, c.given...); !d.Allowed || len(d.Approvals) != len(c.given) {
			t.Errorf("%s: %s, %d approvals listed", name, told(d), len(d.Approvals))
		}
	}
}

// TestRejections: whose no counts, and about which run.
func TestRejections(t *testing.T) {
	p := newPanel(t)
	id := parse(t, declarationText).ID()
	say := func(verdict Verdict, until time.Time, by signer.Signer) Approval {
		return signApproval(t, ApprovalStatement{Identity: id, Decision: verdict, Reason: "not\x1b ours", Expires: until}, by)
	}
	for name, c := range map[string]struct {
		given Approval
		want  string
	}{
		"no":       {say(Rejected, time.Time{}, p.carol), `carol (security): not\u{1b} ours`},
		"own no":   {say(Rejected, time.Time{}, p.ci), `ci: not\u{1b} ours`},
		"yes":      {say(Approved, time.Time{}, p.carol), ""},
		"stranger": {say(Rejected, time.Time{}, p.eve), ""},
		"expired":  {say(Rejected, now, p.carol), ""},
	} {
		got, err := p.Rejections(ctx, Given{Approvals: []Approval{say(Approved, time.Time{}, p.bob), c.given}, Now: now})
		if err != nil || got[id] != c.want || len(got) > 1 {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	if _, err := policyOf(t, p.ci, "").Rejections(ctx, Given{Now: now}); err == nil {
		t.Error("a policy without approvers knows of rejections")
	}
}

// ending is a context that ends once it was asked so many times.
type ending struct {
	context.Context
	left *int
}

func (e ending) Err() error {
	if *e.left--; *e.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestInterrupted: whenever the context ends, no rejection is passed over.
func TestInterrupted(t *testing.T) {
	p := newPanel(t)
	say := func(verdict Verdict, by signer.Signer) Approval {
		return signApproval(t, ApprovalStatement{Identity: parse(t, declarationText).ID(), Decision: verdict, Reason: "because"}, by)
	}
	given := []Approval{say(Approved, p.alice), say(Approved, p.bob), say(Rejected, p.carol)}
	v, err := p.Verifier().Verify(ctx, signRun(t, declarationText, p.ci), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	for done, n := 0, 0; done < 2; n++ {
		done = 0
		left := n
		if d, err := p.Evaluate(ending{ctx, &left}, v, Given{Approvals: given, Now: now}); err == nil {
			if done++; d.Allowed {
				t.Errorf("ended at question %d: allowed", n)
			}
		}
		left = n
		if rejected, err := p.Rejections(ending{ctx, &left}, Given{Approvals: given, Now: now}); err == nil {
			if done++; len(rejected) != 1 {
				t.Errorf("ended at question %d: rejected %v", n, rejected)
			}
		}
	}
}

func TestNewApprovalRefuses(t *testing.T) {
	id := parse(t, declarationText).ID()
	for name, s := range map[string]ApprovalStatement{
		"nothing":     {},
		"no run":      {Decision: Approved, Reason: "ok"},
		"no reason":   {Identity: id, Decision: Approved},
		"undecided":   {Identity: id, Decision: "maybe", Reason: "ok"},
		"not UTF-8":   {Identity: id, Decision: Approved, Reason: "\xff"},
		"condition":   {Identity: id, Decision: Approved, Reason: "ok", Conditions: []string{"a\xff"}},
		"empty":       {Identity: id, Decision: Approved, Reason: "ok", Conditions: []string{""}},
		"long":        {Identity: id, Decision: Approved, Reason: strings.Repeat("x", 5000)},
		"many":        {Identity: id, Decision: Approved, Reason: "ok", Conditions: strings.Split(strings.Repeat("x,", 200)+"x", ",")},
		"year 10000":  {Identity: id, Decision: Approved, Reason: "ok", Expires: time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600))},
		"year 1":      {Identity: id, Decision: Approved, Reason: "ok", Expires: time.Time{}.Add(time.Hour)},
		"zero run ID": {Identity: identity.ID{}, Decision: Rejected, Reason: "no"},
	} {
		if c, err := NewApproval(s); err == nil {
			t.Errorf("%s: %s", name, c.Bytes())
		}
	}
}

// TestCheckExpires: a decision that has expired is told from one that counts as a policy does, to the second.
func TestCheckExpires(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 500_000_000, time.UTC)
	for _, c := range []struct {
		at time.Time
		ok bool
	}{
		{time.Time{}, true}, {now.Add(time.Second), true}, {now.Truncate(time.Second), false}, {now.Add(-time.Hour), false},
		{now.Add(300 * time.Millisecond), false}, // signed as the second that it is in, which has begun
	} {
		if err := (ApprovalStatement{Expires: c.at}).CheckExpires(now); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.at, err)
		}
	}
}

// TestNotOurs: a policy judges nothing that another trust has verified, nor the zero Verified.
func TestNotOurs(t *testing.T) {
	by := newSigner(t)
	p, twin := policyOf(t, by, ""), policyOf(t, by, "")
	v, err := twin.Verifier().Verify(ctx, signRun(t, declarationText, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*attest.Verified{nil, {}, v} {
		if d, err := p.Evaluate(ctx, v, Given{Now: now}); !errors.Is(err, ErrNotOurs) {
			t.Errorf("decided %v, %v", d, err)
		}
		if _, err := p.Explain(ctx, v, Given{Now: now}); !errors.Is(err, ErrNotOurs) {
			t.Errorf("explained, %v", err)
		}
	}
}

// TestApprovalWithoutBundle: where a bundle could not be read, and the program goes on, nothing is allowed.
func TestApprovalWithoutBundle(t *testing.T) {
	p := newPanel(t)
	id := parse(t, declarationText).ID()
	yes := signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}, p.alice)
	for _, none := range []*attest.Bundle{nil, {}} {
		given := Given{Now: now, Approvals: []Approval{yes, {Source: "bob.json", Bundle: none}}}
		r, err := p.Verify(ctx, signRun(t, declarationText, p.ci), attest.Expect{}, given)
		if r != nil || err == nil || !strings.Contains(err.Error(), "approval bob.json: there is no bundle") {
			t.Errorf("%v: %v, %v", none, r, err)
		}
	}
}

// TestVerify: a result is of a run that is verified and allowed, and every no has a report with the policy's check.
func TestVerify(t *testing.T) {
	by, eve := newSigner(t), newSigner(t)
	p := policyOf(t, by, "kinds: [training]\nrules:\n  - {name: cheap, expr: declaration.constraints.budget < 100, message: 'budget {{declaration.constraints.budget}}'}\n")
	for name, c := range map[string]struct {
		text string
		by   signer.Signer
		want string
	}{
		"allowed":    {declarationText, by, "pass test at 2026-11-24T12:00:00Z (the caller's clock): 1 rule met"},
		"denied":     {strings.Replace(declarationText, `"budget":50`, `"budget":500`, 1), by, "fail test at 2026-11-24T12:00:00Z (the caller's clock): denied, 1 reason [denied by cheap: budget 500]"},
		"both":       {strings.Replace(strings.Replace(declarationText, "training", "agent", 1), `"budget":50`, `"budget":500`, 1), by, "denied, 2 reasons [denied by kinds: runs of kind agent are not among those allowed: [training] denied by cheap: budget 500]"},
		"unverified": {declarationText, eve, "not-checked a policy judges only what is verified"},
	} {
		result, err := p.Verify(ctx, signRun(t, c.text, c.by), attest.Expect{}, Given{Now: now})
		var report attest.Report
		var decision *Decision
		var no *attest.VerificationError
		var denied *DeniedError
		if errors.As(err, &denied) {
			decision = denied.Decision
		}
		switch {
		case err == nil:
			report, decision = result.Report, result.Decision
			if !result.Verified.VerifiedBy(p.Verifier()) || !decision.Allowed {
				t.Errorf("%s: a result of what is not allowed", name)
			}
		case result != nil:
			t.Errorf("%s: a result beside %v", name, err)
		case errors.As(err, &no):
			report = no.Report
		default:
			t.Fatal(err)
		}
		check := report.Checks[len(report.Checks)-1]
		got := fmt.Sprint(check.Verdict, " ", check.Reason)
		if len(check.Details) > 0 {
			got += fmt.Sprint(" ", check.Details)
		}
		if !strings.Contains(got, c.want) || report.Verified != (name == "allowed") || (decision == nil) != (name == "unverified") || report.Identity.IsZero() == (name == "allowed") {
			t.Errorf("%s: %s, verified %v", name, got, report.Verified)
		}
	}
}

// TestVerifyAsks: what keeps a policy from being asked is an error and no answer, so that none of it is a check.
func TestVerifyAsks(t *testing.T) {
	by := newSigner(t)
	p, twin := policyOf(t, by, ""), policyOf(t, by, "")
	other, err := lineage.Build(ctx, twin.Verifier(), slices.Values([]lineage.Input{}), lineage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(ctx)
	lost := errors.New("the registry is away")
	bundle := signRun(t, declarationText, by)
	for name, c := range map[string]struct {
		ctx    context.Context
		gather func(context.Context, *attest.Verified) (Given, error)
		want   error
	}{
		"nothing gathered": {ctx, func(context.Context, *attest.Verified) (Given, error) { return Given{Now: now}, lost }, lost},
		"no approvers": {ctx, func(context.Context, *attest.Verified) (Given, error) {
			return Given{Now: now, Approvals: []Approval{{}}}, nil
		}, ErrNoApprovers},
		"lineage of another": {ctx, func(context.Context, *attest.Verified) (Given, error) { return Given{Now: now, Lineage: other}, nil }, ErrNotOurs},
		"ended meanwhile": {ended, func(context.Context, *attest.Verified) (Given, error) {
			end()
			return Given{Now: now}, context.Cause(ended)
		}, context.Canceled},
	} {
		result, err := p.VerifyWith(c.ctx, bundle, attest.Expect{}, c.gather)
		if no := (*attest.VerificationError)(nil); result != nil || !errors.Is(err, c.want) || errors.As(err, &no) {
			t.Errorf("%s: %v, %v, want %v", name, result, err, c.want)
		}
	}
	if result, err := p.VerifyWith(ctx, bundle, attest.Expect{}, nil); result != nil || err == nil {
		t.Errorf("nothing to gather with: %v, %v", result, err)
	}
}

// TestPolicySignature: the signature is over the policy and the files that it refers to.
func TestPolicySignature(t *testing.T) {
	by, release := newSigner(t), newSigner(t)
	p, other := policyOf(t, by, ""), policyOf(t, by, "kinds: [agent]\n")
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "release", Key: release.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(p *Policy, by signer.Signer) *attest.Bundle {
		claim, err := p.Statement()
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.Sign(ctx, claim, by, attest.SignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if s, err := p.VerifySignature(ctx, sign(p, release), verifier); err != nil || s.Name != "release" {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := p.VerifySignature(ctx, sign(other, release), verifier); !errors.Is(err, ErrChanged) {
		t.Errorf("of another policy: %v", err)
	}
	if _, err := p.VerifySignature(ctx, sign(p, by), verifier); err == nil {
		t.Error("by another signer")
	}
	withFile := *p
	withFile.files = []File{{"ci.pub", [32]byte{1}}}
	if _, err := withFile.VerifySignature(ctx, sign(p, release), verifier); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "ci.pub") {
		t.Errorf("a file that was not signed: %v", err)
	}
}

func BenchmarkEvaluateTenRules(b *testing.B) {
	by := newSigner(b)
	p := policyOf(b, by, tenRules)
	v, err := p.Verifier().Verify(ctx, signRun(b, declarationText, by), attest.Expect{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if d, err := p.Evaluate(ctx, v, Given{Now: now}); err != nil || !d.Allowed {
			b.Fatal(told(d), err)
		}
	}
}

func BenchmarkParseTenRules(b *testing.B) {
	text := []byte(header(b, newSigner(b)) + tenRules)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text, options); err != nil {
			b.Fatal(err)
		}
	}
}

const tenRules = `rules:
  - {name: r0, expr: 'has(declaration.model.version) || has(declaration.model.digest)'}
  - {name: r1, expr: 'declaration.model.provider in ["meta", "openai"]'}
  - {name: r2, expr: 'declaration.constraints.?network.orValue("any") == "none"'}
  - {name: r3, expr: 'declaration.constraints.budget <= 100'}
  - {name: r4, expr: 'declaration.kind != "evaluation" || declaration.parameters.temperature == 0'}
  - {name: r5, expr: 'declaration.context.all(r, r.role != "dataset" || has(r.digest))'}
  - {name: r6, expr: 'declaration.context.all(r, r.role != "tool" || r.name in ["shell", "git"])'}
  - {name: r7, expr: '!declaration.prompt.text.matches("AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9]{20,}")'}
  - {name: r8, expr: 'run.parents.size() <= 10 && signer.name == "ci"'}
  - {name: r9, expr: 'annotations.?ticket.orValue("").matches("^[A-Z]+-[0-9]+$")'}
`

// TestExplain: the sub-expressions that decided, and no others.
func TestExplain(t *testing.T) {
	by := newSigner(t)
	p := policyOf(t, by, `rules:
  - {name: a, expr: 'declaration.kind == "batch" || declaration.constraints.budget <= 10'}
  - {name: b, expr: 'declaration.kind == "batch" || declaration.constraints.budget <= 100'}
  - {name: c, expr: 'declaration.context.all(r, r.role == "dataset")'}
  - {name: d, expr: 'declaration.constraints.none == 1'}
  - {name: e, expr: 'true'}
`)
	v, err := p.Verifier().Verify(ctx, signRun(t, declarationText, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := p.Explain(ctx, v, Given{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rules {
		got = append(got, fmt.Sprint(r.Rule, " ", r.Value, " ", r.Because))
	}
	for i, r := range rules { // JSON has a list where nothing decided, too
		if r.Because == nil {
			t.Errorf("rule %d: no list of steps", i)
		}
	}
	for i, want := range []string{
		`a false [{declaration.kind == "batch" false} {declaration.kind "training"} {declaration.constraints.budget <= 10 false} {declaration.constraints.budget 50}]`,
		`b true [{declaration.constraints.budget <= 100 true} {declaration.constraints.budget 50}]`,
		`{r.role == "dataset" false} {r.role "tool"}`,
		`d error: no such key: none`,
	} {
		if !strings.Contains(got[i], want) {
			t.Errorf("got %s\nwant %s", got[i], want)
		}
	}
}
