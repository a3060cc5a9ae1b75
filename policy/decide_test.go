package policy

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/signer"
)

// TestDecideAsVerify holds what the rules of the ready policies decide before a run is signed against what they decide
// about the signed run: Decide's yes is Verify's yes, and its no the same no.
func TestDecideAsVerify(t *testing.T) {
	files, err := filepath.Glob("../examples/policies/*/cases.yaml")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d of 14 policies, %v", len(files), err)
	}
	by, stranger := newSigner(t), newSigner(t)
	answers, asked := map[bool]int{}, 0
	for _, file := range files {
		cases, err := LoadCases(file, options)
		if err != nil {
			t.Fatal(err)
		}
		spec := Spec{Keys: []attest.TrustedKey{{Name: "ci", Key: by.PublicKey()}}, Kinds: cases.policy.kinds}
		for _, r := range cases.policy.rules {
			one := Spec{Keys: spec.Keys, Rules: []Rule{{Name: r.name, Expr: r.Condition(), Severity: r.severity}}}
			if _, err := New(one, Options{BeforeSigning: true}); err == nil {
				spec.Rules = append(spec.Rules, one.Rules...)
			}
		}
		p, err := New(spec, Options{BeforeSigning: true})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases.list {
			if c.declaration == nil {
				continue
			}
			asked++
			for _, signs := range []signer.Signer{by, stranger} {
				answers[agree(t, file+": "+c.Name, p, c, signs)]++
			}
		}
	}
	if asked < 40 || answers[true] < 10 || answers[false] < 10 {
		t.Errorf("%d cases, %v: want many of each answer", asked, answers)
	}
}

// agree asks before and after the signature.
func agree(t *testing.T, name string, p *Policy, c *testCase, by signer.Signer) bool {
	t.Helper()
	now := c.rehearsal.Now
	before, err := p.Decide(ctx, Proposal{Declaration: c.declaration, Annotations: c.rehearsal.Annotations, Signer: by.PublicKey(), Now: now})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	statement, err := attest.New(c.declaration, attest.StatementOptions{Annotations: c.rehearsal.Annotations})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.Sign(ctx, statement, by, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := p.Verify(ctx, b, attest.Expect{}, Given{Now: now})
	if before.Allowed != (err == nil) {
		t.Errorf("%s: %v before it was signed, and afterwards %v", name, before.Allowed, err)
	}
	decision := (*Decision)(nil)
	if denied := (*DeniedError)(nil); errors.As(err, &denied) {
		decision = denied.Decision
	} else if err == nil {
		decision = after.Decision
	}
	if decision != nil {
		copied := *decision
		copied.BeforeSigning = true
		if diff := cmp.Diff(copied.Denials, before.Denials) + cmp.Diff(copied.Warnings, before.Warnings) + cmp.Diff(copied.Rules, before.Rules); diff != "" || copied.Identity != before.Identity {
			t.Errorf("%s: other reasons (-after +before):\n%s", name, diff)
		}
	}
	return before.Allowed
}

// TestBeforeSigning: what only a signed bundle can meet is refused when the policy is read, and says why.
func TestBeforeSigning(t *testing.T) {
	ci, alice, c := newSigner(t), newSigner(t), newClock(t)
	for name, bad := range map[string]struct{ rest, at string }{
		"timestamp": {c.root(t) + "time: {evidence: timestamp}\n", "/time/evidence"},
		"approvals": {"approvals: {required: 0, approvers: [{name: alice, keys: [{key: " + pemOf(t, alice) + "}]}]}\n", "/approvals"},
		"times":     {c.root(t) + "rules: [{name: r, expr: time.verified}]\n", "/rules/0/expr"},
		"ancestors": {"rules: [{name: r, expr: ancestors.size() == 0}]\n", "/rules/0/expr"},
	} {
		text := header(t, ci) + bad.rest
		if _, err := Parse([]byte(text), options); err != nil {
			t.Errorf("%s: refused after signing, too: %v", name, err)
		}
		found := problems(t, text, Options{TrustedRoots: options.TrustedRoots, BeforeSigning: true})
		if len(found) != 1 || found[0].Pointer != bad.at || found[0].Hint == "" {
			t.Errorf("%s: %v, want one problem at %s", name, found, bad.at)
		}
	}
	key := attest.TrustedKey{Name: "ci", Key: ci.PublicKey(), NotAfter: time.Unix(1<<31, 0)}
	root := []byte(c.root(t)[len("trustedRoot: "):])
	if p, err := New(Spec{TrustedRoot: root, Keys: []attest.TrustedKey{key}}, Options{TrustedRoots: options.TrustedRoots, BeforeSigning: true}); err == nil {
		t.Errorf("got %v of a key that is valid for some time", p)
	}
}

// TestDecideMisuse: a policy that was not read for it is not asked, nor one about nothing.
func TestDecideMisuse(t *testing.T) {
	by := newSigner(t)
	run := Proposal{Declaration: parse(t, declarationText), Signer: by.PublicKey(), Now: time.Unix(0, 0)}
	if d, err := policyOf(t, by, "").Decide(ctx, run); d != nil || !errors.Is(err, ErrAfterSigning) {
		t.Errorf("got %v, %v, want ErrAfterSigning", d, err)
	}
	p, err := Parse([]byte(header(t, by)+"rules: [{name: r, expr: declaration.kind == 'training'}]\n"), Options{BeforeSigning: true})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := p.Decide(ctx, run); err != nil || !d.BeforeSigning || d.Identity != run.Declaration.ID() {
		t.Errorf("got %+v, %v", d, err)
	}
	for name, bad := range map[string]Proposal{
		"no signer":      {Declaration: run.Declaration},
		"no declaration": {Signer: run.Signer},
		"not UTF-8":      {Declaration: run.Declaration, Signer: run.Signer, Annotations: map[string]string{"a": "\xff"}},
	} {
		if d, err := p.Decide(ctx, bad); d != nil || err == nil {
			t.Errorf("%s: got %+v", name, d)
		}
	}
	if d, err := p.Rehearse(ctx, Rehearsal{Now: time.Unix(0, 0)}); d != nil || err == nil || err.Error() != "rehearsal: no declaration: it is nil or a zero value" {
		t.Errorf("a rehearsal without a declaration: %+v, %v", d, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if d, err := p.Decide(ended, run); d != nil || err == nil {
		t.Errorf("got %+v where the context has ended", d)
	}
}
