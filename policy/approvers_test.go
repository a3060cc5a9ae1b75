package policy

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// TestOwnApproval: an approver cannot approve a run that they signed, with the same key or another of theirs.
func TestOwnApproval(t *testing.T) {
	const own = "is by the signer of the run, who cannot approve it"
	k := newLineageTest(t, "")
	laptop := newSigner(t)
	k.ci = k.alice // who may sign runs, too
	k.Policy = policyOf(t, k.alice, "approvals:\n  required: 1\n  approvers:\n"+
		"    - {name: alice, keys: [{key: "+pemOf(t, k.alice)+"}, {key: "+pemOf(t, laptop)+"}]}\n"+
		"    - {name: bob, keys: [{key: "+pemOf(t, k.bob)+"}]}\n"+
		"rules: [{name: parents, expr: 'ancestors.all(a, a.approved)'}]\n")
	graph := k.lineage(k.input("first", k.first, k.alice))
	for name, c := range map[string]struct {
		run, parent Approval
		want        string
	}{
		"others":              {k.says(k.second, Approved, k.bob), k.says(k.first, Approved, k.bob), "allowed"},
		"run, same key":       {k.says(k.second, Approved, k.alice), k.says(k.first, Approved, k.bob), "approvals: 0 of 1"},
		"run, another key":    {k.says(k.second, Approved, laptop), k.says(k.first, Approved, k.bob), "approvals: 0 of 1"},
		"parent, same key":    {k.says(k.second, Approved, k.bob), k.says(k.first, Approved, k.alice), "parents: not met"},
		"parent, another key": {k.says(k.second, Approved, k.bob), k.says(k.first, Approved, laptop), "parents: not met"},
		"own rejection":       {k.says(k.second, Approved, k.bob), k.says(k.second, Rejected, laptop), "approvals: rejected by alice"},
	} {
		d := k.ask(k.second, Given{Approvals: []Approval{c.run, c.parent}, Lineage: graph})
		if got := told(d); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if why := d.Approvals[0].Why; strings.HasPrefix(name, "run, ") && why != own {
			t.Errorf("%s: %q, want %q", name, why, own)
		}
	}
}

// certifiedSigner is a signer with a certificate.
type certifiedSigner struct {
	signer.Signer
	der []byte
}

func (c certifiedSigner) Certificate() []byte { return c.der }

func (c clock) certify(t testing.TB, name, issuer string) signer.Signer {
	t.Helper()
	leaf, key, err := c.GenerateLeafCert(name, issuer)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	by, err := signer.Parse(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil)
	if err != nil {
		t.Fatal(err)
	}
	return certifiedSigner{by, leaf.Raw}
}

// certificates is the member trustedRoot of a policy that believes the clock and its certificates.
func (c clock) certificates(t testing.TB) string {
	t.Helper()
	made, err := root.NewTrustedRoot(root.TrustedRootMediaType01, c.FulcioCertificateAuthorities(), nil, c.TimestampingAuthorities(), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return "trustedRoot: " + string(text) + "\n"
}

// TestAmbiguousApprover: who may be either of two approves nothing, and rejects all the same.
func TestAmbiguousApprover(t *testing.T) {
	c, by := newClock(t), newSigner(t)
	p := policyOf(t, by, c.certificates(t)+`approvals:
  required: 1
  approvers:
    - {name: ada, certificates: [{identity: ada@acme.example, issuer: https://acme.example}]}
    - {name: board, certificates: [{identityRegexp: ".*@acme[.]example", issuer: https://acme.example}]}
`)
	id := parse(t, declarationText).ID()
	says := func(name string, decision Verdict) Approval {
		claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: decision, Reason: "because"})
		if err != nil {
			t.Fatal(err)
		}
		return Approval{name, c.stamped(t, claim, c.certify(t, name+"@acme.example", "https://acme.example"))}
	}
	v, err := p.Verifier().Verify(ctx, signRun(t, declarationText, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		given []Approval
		want  string
	}{
		"one of them":     {[]Approval{says("bob", Approved)}, "allowed"},
		"either":          {[]Approval{says("ada", Approved)}, "approvals: 0 of 1 approvals: no approver has approved; want 1 of ada, board"},
		"in capitals":     {[]Approval{says("Ada", Approved)}, "approvals: 0 of 1 approvals: no approver has approved; want 1 of ada, board"},
		"capitals reject": {[]Approval{says("bob", Approved), says("ADA", Rejected)}, "approvals: rejected by ada: because"},
		"either rejects":  {[]Approval{says("bob", Approved), says("ada", Rejected)}, "approvals: rejected by ada: because"},
		"rejection first": {[]Approval{says("ada", Rejected), says("bob", Approved)}, "approvals: rejected by ada: because"},
	} {
		d, err := p.Evaluate(ctx, v, Given{Approvals: one.given, Now: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if got := told(d); got != one.want {
			t.Errorf("%s: got %s, want %s", name, got, one.want)
		}
	}
}

// TestOwnApprovalCertified: the same of certificates, whose names may be many.
func TestOwnApprovalCertified(t *testing.T) {
	c := newClock(t)
	p, err := Parse([]byte("schema: "+Schema+"\n"+c.certificates(t)+`signers: {certificates: [{identityRegexp: ".*", issuerRegexp: ".*"}]}
approvals:
  required: 1
  approvers:
    - {name: carol, certificates: [{identity: carol@acme.example, issuer: https://acme.example}, {identityRegexp: "carol[+].*@acme.example", issuerRegexp: "https://.*"}]}
`), options)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []struct {
		name, issuer string
		own          bool
	}{
		{"carol@acme.example", "https://acme.example", true},
		{"Carol@Acme.example", "https://acme.example", true},
		{"carol@acme.example", "https://elsewhere.example", false},
		{"carol+a@acme.example", "https://elsewhere.example", true},
		{"not-carol+a@acme.example", "https://acme.example", false},
		{"bob@acme.example", "https://acme.example", false},
	} {
		when := time.Now().Add(time.Minute) // the authorities are valid from now on
		d, err := p.Rehearse(ctx, Rehearsal{
			Declaration: parse(t, declarationText), Signer: by.name, Issuer: by.issuer, Signed: when, Now: when,
			Approvals: []RehearsedApproval{{Approver: "carol", Decision: Approved, Reason: "ok", Signed: when}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if d.Allowed == by.own {
			t.Errorf("%s of %s: %s", by.name, by.issuer, told(d))
		}
	}
}

// TestNamesInAnyCase: an approver who is meant by an expression rejects, and signs what they would approve, in whatever case a certificate
// has the name.
func TestNamesInAnyCase(t *testing.T) {
	c, ci, alice := newClock(t), newSigner(t), newSigner(t)
	const issuer = "https://acme.example"
	id := parse(t, declarationText).ID()
	says := func(d Verdict, by signer.Signer) Approval {
		claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: d, Reason: "because"})
		if err != nil {
			t.Fatal(err)
		}
		return Approval{"x", c.stamped(t, claim, by)}
	}
	by := func(name string) signer.Signer { return c.certify(t, name, issuer) }
	policy := func(signers, approvers string) *Policy {
		p, err := Parse([]byte("schema: "+Schema+"\nsigners: {"+signers+"}\n"+c.certificates(t)+"approvals: {required: 1, approvers: ["+approvers+"]}\n"), options)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	decide := func(p *Policy, run signer.Signer, given ...Approval) string {
		v, err := p.Verifier().Verify(ctx, c.run(t, run), attest.Expect{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.Evaluate(ctx, v, Given{Approvals: given, Now: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return told(d)
	}
	for _, entry := range []string{
		`identity: Ada.Lovelace@acme.example`, `identityRegexp: 'Ada\.Lovelace@acme\.example'`, `identityRegexp: '(Ada\.Lovelace|Bob\.Ross)@acme\.example'`,
		`identityRegexp: '[A-Z][a-z]+\.[A-Z][a-z]+@acme\.example'`, `identityRegexp: 'ada\.lovelace@acme\.example'`,
	} {
		ada := "{name: ada, certificates: [{" + entry + ", issuer: " + issuer + "}]}"
		p := policy("keys: [{name: ci, key: "+pemOf(t, ci)+"}]", "{name: alice, keys: [{key: "+pemOf(t, alice)+"}]}, "+ada)
		for _, name := range []string{"Ada.Lovelace@acme.example", "ada.lovelace@acme.example", "ADA.LOVELACE@ACME.EXAMPLE"} {
			if got := decide(p, ci, says(Approved, alice), says(Rejected, by(name))); got != "approvals: rejected by ada: because" {
				t.Errorf("%s, rejected by %s: %s", entry, name, got)
			}
		}
		run := by("ada.lovelace@acme.example")
		p = policy("certificates: [{identity: ada.lovelace@acme.example, issuer: "+issuer+"}]", ada+", {name: alice, keys: [{key: "+pemOf(t, alice)+"}]}")
		if got := decide(p, run, says(Approved, by("Ada.Lovelace@acme.example"))); got == "allowed" {
			t.Errorf("%s: the signer of the run approves it", entry)
		}
	}
	o := statedDecision{by: &approver{}, signer: evidence.SignerIdentity{
		Kind: evidence.SignedByCertificate, Name: "ada@acme.example", OtherNames: "Lovelace@acme.example\nhttps://acme.example/ada", Issuer: issuer,
	}}
	for _, s := range []struct {
		evidence.SignerIdentity
		want bool
	}{
		{evidence.SignerIdentity{Kind: evidence.SignedByCertificate, Name: "lovelace@acme.example", Issuer: issuer + "/"}, true},
		{evidence.SignerIdentity{Kind: evidence.SignedByCertificate, Name: "bob@acme.example", OtherNames: "https://acme.example/ada", Issuer: issuer}, true},
		{evidence.SignerIdentity{Kind: evidence.SignedByCertificate, Name: "lovelace@acme.example", Issuer: "https://elsewhere.example"}, false},
		{evidence.SignerIdentity{Kind: evidence.SignedByCertificate, Name: "bob@acme.example", Issuer: issuer}, false},
		{evidence.SignerIdentity{Kind: evidence.SignedByKey, Name: "ada@acme.example"}, false},
	} {
		if got := o.isBy(s.SignerIdentity); got != s.want {
			t.Errorf("%+v: %v", s.SignerIdentity, got)
		}
	}
}

// TestOneKey: a key signs for one person, with or without a certificate: who signs a run with it does not approve the run with it, and it
// does not approve for two.
func TestOneKey(t *testing.T) {
	c := newClock(t)
	ci := newSigner(t)
	const issuer = "https://acme.example"
	ada := c.certify(t, "ada@acme.example", issuer)
	bare := ada.(certifiedSigner).Signer
	keyOf := func(s signer.Signer) string { return "keys: [{name: k, key: " + pemOf(t, s) + "}]" }
	for name, one := range map[string]struct {
		signers, approvers string
		run                signer.Signer
		by                 []signer.Signer
		want               string
	}{
		"another's key":            {keyOf(ci), "{name: ada, certificates: [{identity: ada@acme.example, issuer: https://acme.example}]}", ci, []signer.Signer{ada}, "allowed"},
		"a run with the bare key":  {keyOf(bare), "{name: ada, certificates: [{identity: ada@acme.example, issuer: https://acme.example}]}", bare, []signer.Signer{ada}, "is by the signer of the run, who cannot approve it"},
		"a run with a certificate": {"certificates: [{identity: ada@acme.example, issuer: https://acme.example}]", "{name: dora, " + keyOf(bare) + "}", ada, []signer.Signer{bare}, "is by the signer of the run, who cannot approve it"},
		"of another certificate": {"certificates: [{identity: ada@acme.example, issuer: https://acme.example}]",
			"{name: eve, " + keyOf(bare) + ", certificates: [{identity: eve@acme.example, issuer: https://acme.example}]}", ada,
			[]signer.Signer{c.certify(t, "eve@acme.example", issuer)}, "is by the signer of the run, who cannot approve it"},
		"two with one key": {keyOf(ci), "{name: ada, certificates: [{identity: ada@acme.example, issuer: https://acme.example}]}, {name: bob, " + keyOf(bare) + "}", ci,
			[]signer.Signer{ada, bare}, "is by a key with which two approvers approve: one person would count as two"},
	} {
		p, err := Parse([]byte("schema: "+Schema+"\n"+c.certificates(t)+"signers: {"+one.signers+"}\napprovals: {required: 1, approvers: ["+one.approvers+"]}\n"), options)
		if err != nil {
			t.Fatal(name, err)
		}
		v, err := p.Verifier().Verify(ctx, c.run(t, one.run), attest.Expect{})
		if err != nil {
			t.Fatal(name, err)
		}
		claim, err := NewApproval(ApprovalStatement{Identity: v.ID(), Decision: Approved, Reason: "ok"})
		if err != nil {
			t.Fatal(err)
		}
		var given []Approval
		for _, by := range one.by {
			given = append(given, Approval{name, c.stamped(t, claim, by)})
		}
		d, err := p.Evaluate(ctx, v, Given{Approvals: given, Now: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(name, err)
		}
		if one.want == "allowed" {
			if !d.Allowed {
				t.Errorf("%s: %s", name, told(d))
			}
			continue
		}
		for _, a := range d.Approvals {
			if d.Allowed || a.Counted || a.Why != one.want {
				t.Errorf("%s: %s, %+v", name, told(d), a)
			}
		}
	}
}

// TestManyStrangers: any number of approvals can be added, by unknown signers and as copies; each is verified
// once, and not once for each approver.
func TestManyStrangers(t *testing.T) {
	by, eve, last := newSigner(t), newSigner(t), newSigner(t)
	var people []string
	for i := range 199 {
		people = append(people, fmt.Sprintf("{name: a%d, keys: [{key: %s}]}", i, pemOf(t, newSigner(t))))
	}
	people = append(people, "{name: last, keys: [{key: "+pemOf(t, last)+"}]}")
	p := policyOf(t, by, "approvals: {required: 0, approvers: ["+strings.Join(people, ", ")+"]}\n")
	id := parse(t, declarationText).ID()
	long := ApprovalStatement{Identity: id, Decision: Rejected, Reason: "no", Conditions: slices.Repeat([]string{strings.Repeat("x", 1000)}, 100)}
	for _, c := range []struct {
		by        signer.Signer
		want, why string
	}{
		{eve, "allowed", "is signed by none of 200 approvers"},
		{last, "approvals: rejected by last: no", ""},
	} {
		approval := signApproval(t, long, c.by)
		parsed := testing.AllocsPerRun(1, func() {
			if d := decide(t, p, declarationText, by, approval); told(d) != c.want || d.Approvals[0].Why != c.why {
				t.Errorf("%s: %+v", told(d), d.Approvals)
			}
		})
		if parsed > 6_000 { // some 15 for the schemes of each key; reading it costs hundreds
			t.Errorf("%.0f allocations: it was read again and again", parsed)
		}
	}
}

// TestLargeApproval: the largest approval that can be made counts; what is larger is not gone through for each approver.
func TestLargeApproval(t *testing.T) {
	p := newPanel(t)
	long := strings.Repeat("\x01", limits.Reason) // which JSON escapes
	largest := signApproval(t, ApprovalStatement{
		Identity: parse(t, declarationText).ID(), Decision: Rejected, Reason: long, Conditions: slices.Repeat([]string{long}, limits.Conditions),
	}, p.bob)
	run := Approval{"a run", signRun(t, strings.Replace(declarationText, "hello", strings.Repeat("x", limits.Approval), 1), p.bob)}
	d := decide(t, p.Policy, declarationText, p.ci, largest, run)
	if got, want := told(d), "approvals: rejected by bob: "; !strings.HasPrefix(got, want) {
		t.Errorf("got %.100s, want %s", got, want)
	}
	if got, want := d.Approvals[1].Why, "has a payload of "; !strings.HasPrefix(got, want) {
		t.Errorf("got %.100s, want %s", got, want)
	}
}
