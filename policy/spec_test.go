package policy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/identity"
)

// TestNew: a policy of values is that of the text that they stand for, and is refused as the text is.
func TestNew(t *testing.T) {
	ci, alice, c := newSigner(t), newSigner(t), newClock(t)
	names, err := authority.Matching("[a-z]+@acme[.]example")
	if err != nil {
		t.Fatal(err)
	}
	whole := func() Spec {
		return Spec{
			Name: "training", Description: "who trains, and for how much", TrustedRoot: []byte(strings.TrimPrefix(c.root(t), "trustedRoot: ")),
			Keys:     []attest.TrustedKey{{Name: "ci", Key: ci.PublicKey(), NotBefore: time.Unix(1, 5), NotAfter: time.Unix(1<<32, 0)}},
			Evidence: "timestamp", StartWithin: 36 * time.Hour, Kinds: []identity.Kind{identity.Training},
			Approvals: ApprovalDemand{Required: 1, Roles: map[string]int{"security": 1}, Evidence: "timestamp", Approvers: []Approver{
				{Name: "alice", Role: "security", Keys: []attest.TrustedKey{{Key: alice.PublicKey()}}},
			}},
			Rules: []Rule{{Name: "budget", Expr: "declaration.constraints.budget.usd <= 100", Message: "too \"dear\" <", Severity: Warn}},
		}
	}
	p, err := New(whole(), options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := whole().JSON()
	if err != nil {
		t.Fatal(err)
	}
	same, err := Parse(text, options)
	if err != nil || same.Digest() != p.Digest() {
		t.Fatalf("%x, %v; want %x", same.Digest(), err, p.Digest())
	}
	if k := p.signers.keys[0]; k.Key.Hint() != ci.PublicKey().Hint() || !k.NotBefore.Equal(time.Unix(1, 5)) || !k.NotAfter.Equal(time.Unix(1<<32, 0)) {
		t.Errorf("key %+v", k)
	}
	if p.time != (timeDemand{demand{evidenceTimestamp, 1}, 36 * time.Hour}) || p.approvals.required != 1 || p.approvals.approvers[0].role != "security" || p.rules[0].severity != Warn {
		t.Errorf("got %+v", p)
	}
	certified := Spec{Identities: []authority.CertificateIdentity{{SubjectAlternativeName: names, Issuer: authority.Exactly("https://login.acme.example")}}}
	if text, err := certified.JSON(); err != nil || !bytes.Contains(text, []byte(`{"identityRegexp":"[a-z]+@acme[.]example","issuer":"https://login.acme.example"}`)) || !json.Valid(text) {
		t.Errorf("%s, %v", text, err)
	}
	for name, change := range map[string]func(*Spec){
		"no signer":           func(s *Spec) { s.Keys = nil },
		"no key":              func(s *Spec) { s.Keys[0].Key = nil },
		"no name":             func(s *Spec) { s.Keys[0].Name = "" },
		"ended key":           func(s *Spec) { s.Keys[0].NotAfter = s.Keys[0].NotBefore },
		"certificate":         func(s *Spec) { s.Identities = certified.Identities }, // the root names no certificate authority
		"no matcher":          func(s *Spec) { s.Identities = []authority.CertificateIdentity{{}} },
		"no root":             func(s *Spec) { s.TrustedRoot = nil },
		"root that is a path": func(s *Spec) { s.TrustedRoot = []byte(`"trusted_root.json"`) },
		"root that is none":   func(s *Spec) { s.TrustedRoot = []byte("{") },
		"evidence":            func(s *Spec) { s.Evidence = "sworn" },
		"no evidence":         func(s *Spec) { s.Evidence = "" },
		"half a second":       func(s *Spec) { s.StartWithin = time.Second / 2 },
		"before it":           func(s *Spec) { s.StartWithin = -time.Second },
		"count":               func(s *Spec) { s.Count = -1 },
		"kind":                func(s *Spec) { s.Kinds = []identity.Kind{"dance"} },
		"approvals":           func(s *Spec) { s.Approvals.Required = 2 },
		"role":                func(s *Spec) { s.Approvals.Roles["legal"] = 1 },
		"approver's key":      func(s *Spec) { s.Approvals.Approvers[0].Keys[0].Key = nil },
		"no approvers":        func(s *Spec) { s.Approvals.Approvers = nil },
		"rule":                func(s *Spec) { s.Rules[0].Expr = "declaration.modle == 1" },
		"not UTF-8":           func(s *Spec) { s.Rules[0].Message = "\xff" },
		"role not UTF-8":      func(s *Spec) { s.Approvals.Approvers[0].Role = "\xff" },
		"severity":            func(s *Spec) { s.Rules[0].Severity = "loud" },
	} {
		s := whole()
		change(&s)
		if p, err := New(s, options); p != nil || err == nil {
			t.Errorf("%s: got %v, want it refused", name, p)
		}
	}
	// A duration is read as it is written, and one that cannot be written is refused by its name.
	for _, d := range []time.Duration{time.Second, 999_999 * time.Second, 1_000_020 * time.Second, 999_999 * time.Minute, 106_751 * 24 * time.Hour} {
		s := whole()
		s.StartWithin = d
		if p, err := New(s, options); err != nil || p.time.startWithin != d {
			t.Errorf("%s: got %v", d, err)
		}
	}
	for _, d := range []time.Duration{1_000_001 * time.Second, 1_000_001 * time.Minute} {
		s := whole()
		s.StartWithin = d
		if _, err := New(s, options); err == nil || !strings.HasPrefix(err.Error(), "policy: StartWithin: "+d.String()) {
			t.Errorf("%s: got %v", d, err)
		}
	}
}
