package policy

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// whole is the policy where rules are given values of the whole declaration.
func whole(p *Policy) *Policy {
	same := *p
	same.set = *p.set.Whole()
	return &same
}

// TestWantedSameAnswers: what is not made of the declaration changes no answer and no reason.
func TestWantedSameAnswers(t *testing.T) {
	files, err := filepath.Glob("../examples/policies/*/cases.yaml")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d of 14 policies, %v", len(files), err)
	}
	asked := 0
	for _, file := range files {
		cases, err := LoadCases(file, options)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases.list {
			asked++
			want, err := (&Cases{policy: whole(cases.policy)}).decide(ctx, c)
			got, err2 := cases.decide(ctx, c)
			if diff := cmp.Diff(fmt.Sprintf("%+v %v", want, err), fmt.Sprintf("%+v %v", got, err2)); diff != "" {
				t.Errorf("%s: %s (-whole +wanted):\n%s", file, c.Name, diff)
			}
		}
	}
	if asked < 40 {
		t.Errorf("%d cases, want many", asked)
	}
	by := newSigner(t)
	for _, expr := range []string{
		"declaration.constraints[declaration.kind] == 1", "dyn(declaration)['kind'] == 'training'", "dyn(declaration)['nothing'] == 1",
		"has(declaration.model.digest)", "has(declaration.constraints.budget.eur)", "!has(declaration.prompt.text)", "has(declaration.constraints.budget.usd.cents)",
		"declaration.parameters.all(k, k != '')", "declaration.context.exists(c, has(c.uri))", "declaration.context.map(c, c.name).size() > 0",
		"declaration.model.name.size() > 3", "declaration.constraints.budget == {'usd': 40}",
		"declaration.constraints.budget.usd.cents == 1", "declaration.parameters.stop.first == 1", "declaration.constraints.?none.?more.hasValue()",
		"json(declaration).contains('usd')", "json(declaration.constraints).contains('usd')", "[declaration].all(d, has(d.parents))",
		"declaration.constraints == declaration.parameters", "declaration.extensions.size() == 0", "declaration == declaration",
		"(run.kind == 'agent' ? declaration.model : declaration.model).name == 'm'", "[declaration.kind].all(declaration, declaration == 'training')",
		"declaration.constraints.budget.all(k, declaration.constraints.budget[k] == declaration.constraints.budget.usd)",
	} {
		wantSame(t, by, expr, "")
		wantSame(t, by, expr, ", message: 'model {{declaration.model}}, budget {{declaration.constraints.budget.usd}}'")
	}
}

// wantSame decides by a rule with the whole declaration and with what the rule looks at.
func wantSame(t *testing.T, by signer.Signer, expr, message string) {
	t.Helper()
	p := policyOf(t, by, fmt.Sprintf("rules: [{name: r, expr: %q%s}]\n", expr, message))
	b := signRun(t, strings.NewReplacer(`"budget":50`, `"budget":{"usd":40}`, `"list":`, `"stop":`).Replace(declarationText), by)
	v, err := p.Verifier().Verify(ctx, b, attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	given := Given{Now: time.Unix(0, 0)}
	want, err := whole(p).Evaluate(ctx, v, given)
	got, err2 := p.Evaluate(ctx, v, given)
	if diff := cmp.Diff(fmt.Sprintf("%+v %v", want, err), fmt.Sprintf("%+v %v", got, err2)); diff != "" {
		t.Errorf("%s (-whole +wanted):\n%s", expr, diff)
	}
	explained, err := p.Explain(ctx, v, given)
	if err != nil || (explained[0].Value == "true") != got.Allowed {
		t.Errorf("%s: explained as %v, %v, decided %v", expr, explained, err, got.Allowed)
	}
}

// BenchmarkLargeDeclaration decides about a declaration of 1 MiB, with values of what the rules name and of all of it.
func BenchmarkLargeDeclaration(b *testing.B) {
	by := newSigner(b)
	p, err := Parse([]byte(header(b, by)+"rules: [{name: r, expr: 'declaration.kind == \"training\" && declaration.constraints.budget.usd <= 100'}]\n"), Options{BeforeSigning: true})
	if err != nil {
		b.Fatal(err)
	}
	var items []map[string]any
	for i := range 9000 {
		items = append(items, map[string]any{"name": fmt.Sprintf("item %d", i), "weight": i, "note": strings.Repeat("x", 70)})
	}
	d, err := identity.Build(identity.Run{
		Kind: identity.Training, Model: identity.Model{Name: "m", Version: "1"},
		Parameters: map[string]any{"items": items}, Constraints: map[string]any{"budget": map[string]any{"usd": 40}},
	})
	if err != nil {
		b.Fatal(err)
	}
	s := subject{id: d.ID(), declaration: d, asOf: asOf{now: time.Unix(0, 0)}, approvals: []ApprovalResult{}}
	for name, p := range map[string]*Policy{"named": p, "whole": whole(p)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(d.Size())
			b.ReportAllocs()
			for b.Loop() {
				if decision, err := p.decide(ctx, s); err != nil || !decision.Allowed {
					b.Fatal(decision, err)
				}
			}
		})
	}
}
