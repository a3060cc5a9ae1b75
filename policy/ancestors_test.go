package policy

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/signer"
)

// lineageTest is an evaluation of a model that was trained twice: first and second are the trainings, each
// the next one's parent. Two of three people approve a training; a rule asks that of all in the ancestry.
type lineageTest struct {
	t                    testing.TB
	ci, alice, bob, eve  signer.Signer
	first, second, child string
	*Policy
}

const approvedTrainings = `rules:
  - name: approved-trainings
    expr: 'ancestors.all(a, a.kind != "training" || a.approved)'
    message: 'not approved: {{ancestors.filter(a, a.kind == "training" && !a.approved)}}'
`

func newLineageTest(t testing.TB, rules string) *lineageTest {
	t.Helper()
	k := &lineageTest{t: t, ci: newSigner(t), alice: newSigner(t), bob: newSigner(t), eve: newSigner(t)}
	k.first = withParents(declarationText)
	k.second = withParents(strings.Replace(declarationText, "hello", "again", 1), parse(t, k.first).ID())
	k.child = withParents(strings.Replace(declarationText, `"kind":"training"`, `"kind":"evaluation"`, 1), parse(t, k.second).ID())
	k.Policy = policyOf(t, k.ci, "approvals:\n  required: 0\n  roles: {}\n  approvers:\n"+
		"    - {name: alice, role: safety, keys: [{key: "+pemOf(t, k.alice)+"}]}\n"+
		"    - {name: bob, keys: [{key: "+pemOf(t, k.bob)+"}]}\n"+
		"    - {name: ci, keys: [{key: "+pemOf(t, k.ci)+"}]}\n"+rules)
	return k
}

func withParents(text string, parents ...identity.ID) string {
	if len(parents) == 0 {
		return text
	}
	var list []string
	for _, id := range parents {
		list = append(list, `"`+id.String()+`"`)
	}
	return strings.TrimSuffix(text, "}") + `,"parents":[` + strings.Join(list, ",") + "]}"
}

func (k *lineageTest) input(name, text string, by signer.Signer) lineage.Input {
	k.t.Helper()
	data, err := signRun(k.t, text, by).Marshal()
	if err != nil {
		k.t.Fatal(err)
	}
	return lineage.Input{Name: name, Data: data}
}

func (k *lineageTest) lineage(inputs ...lineage.Input) *lineage.Graph {
	k.t.Helper()
	g, err := lineage.Build(ctx, k.Verifier(), slices.Values(inputs), lineage.Options{})
	if err != nil {
		k.t.Fatal(err)
	}
	return g
}

func (k *lineageTest) says(run string, decision Verdict, by signer.Signer) Approval {
	k.t.Helper()
	return signApproval(k.t, ApprovalStatement{Identity: parse(k.t, run).ID(), Decision: decision, Reason: "because"}, by)
}

func (k *lineageTest) verified(text string) *attest.Verified {
	k.t.Helper()
	v, err := k.Verifier().Verify(ctx, signRun(k.t, text, k.ci), attest.Expect{})
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

func (k *lineageTest) ask(text string, given Given) *Decision {
	k.t.Helper()
	given.Now = now
	d, err := k.Evaluate(ctx, k.verified(text), given)
	if err != nil {
		k.t.Fatal(err)
	}
	return d
}

func TestAncestors(t *testing.T) {
	k := newLineageTest(t, approvedTrainings)
	first, second := k.input("first", k.first, k.ci), k.input("second", k.second, k.ci)
	both := []lineage.Input{first, second}
	yes := func(run string, by signer.Signer) Approval { return k.says(run, Approved, by) }
	good := []Approval{yes(k.first, k.alice), yes(k.second, k.bob)}
	until := signApproval(t, ApprovalStatement{Identity: parse(t, k.first).ID(), Decision: Approved, Reason: "ok", Expires: now}, k.alice)
	id := func(text string) string { return parse(t, text).ID().String() }
	notApproved := func(text string) string { return "approved-trainings: not approved: [" + id(text) + "]" }
	const no = "approved-trainings: cannot be evaluated, so the run is denied: "
	incomplete := no + "the ancestry of " + id(k.child) + " is incomplete: "

	// a forged parent has another identity, or keeps it and does not recompute
	forged := k.input("forged", strings.Replace(k.second, `"budget":50`, `"budget":1`, 1), k.ci)
	forged.Data = relabelled(t, k, forged.Data, id(k.second))
	cycle := k.input("cycle", strings.Replace(k.first, `"constraints"`, `"parents":["`+id(k.child)+`"],"constraints"`, 1), k.ci)
	cycle.Data = relabelled(t, k, cycle.Data, id(k.first))

	for name, c := range map[string]struct {
		lineage []lineage.Input
		given   []Approval
		want    string
	}{
		"approved":                    {both, good, "allowed"},
		"no approval":                 {both, nil, "approved-trainings: not approved: [" + id(k.second) + "," + id(k.first) + "]"},
		"one of them":                 {both, good[:1], notApproved(k.second)},
		"for the child":               {both, []Approval{good[0], yes(k.child, k.bob)}, notApproved(k.second)},
		"rejected":                    {both, append([]Approval{k.says(k.first, Rejected, k.bob)}, good...), "approved-trainings: not approved: [" + id(k.first) + "]"},
		"rejected, untrusted":         {both, append([]Approval{k.says(k.first, Rejected, k.eve)}, good...), "allowed"},
		"untrusted":                   {both, []Approval{good[0], yes(k.second, k.eve)}, notApproved(k.second)},
		"by its own signer":           {both, []Approval{good[0], yes(k.second, k.ci)}, notApproved(k.second)},
		"expired":                     {both, []Approval{until, good[1]}, notApproved(k.first)},
		"no lineage":                  {nil, good, no + "it asks for the run's ancestors, and none were given: give the bundles of the ancestors as its lineage"},
		"empty lineage":               {[]lineage.Input{}, good, incomplete + id(k.second) + ": missing: no bundle of this run"},
		"grandparent missing":         {[]lineage.Input{second}, good, incomplete + id(k.first) + ": missing: no bundle of this run"},
		"declaration alone":           {[]lineage.Input{second, {Name: "x", Declaration: parse(t, k.first)}}, good, incomplete + id(k.first) + ": missing: no bundle of this run"},
		"by an untrusted signer":      {[]lineage.Input{first, k.input("eve's", k.second, k.eve)}, good, incomplete + id(k.second) + ": not verified: signature: "},
		"by both":                     {[]lineage.Input{first, k.input("eve's", k.second, k.eve), second}, good, "allowed"},
		"forged, by a trusted signer": {[]lineage.Input{first, forged}, good, incomplete + id(k.second) + ": not verified: identity: "},
		"forged, beside the real one": {[]lineage.Input{forged, second, first}, good, "allowed"},
		"cycle":                       {[]lineage.Input{cycle, second}, good, incomplete + id(k.first) + ": not verified: identity: "},
		"an approval taken for a run": {[]lineage.Input{first, {Name: "a", Data: marshal(t, good[1].Bundle)}}, good, incomplete + id(k.second) + ": missing"},
		"descendants of another run":  {append(both, k.input("other", withParents(declarationText, parse(t, k.child).ID()), k.ci)), good, "allowed"},
	} {
		given := Given{Approvals: c.given}
		if c.lineage != nil {
			given.Lineage = k.lineage(c.lineage...)
		}
		d := k.ask(k.child, given)
		if got := told(d); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
	if got := told(k.ask(k.first, Given{})); got != "allowed" {
		t.Errorf("a run without parents needs no lineage: %s", got)
	}
	d := k.ask(k.child, Given{Approvals: good, Lineage: k.lineage(both...)})
	if why := d.Approvals[0].Why; why != "is about an ancestor, "+id(k.first) || d.Approvals[0].Counted {
		t.Errorf("the approval of an ancestor: %q", why)
	}
}

// relabelled signs a bundle's statement again as the trusted signer, with another identity in it.
func relabelled(t testing.TB, k *lineageTest, data []byte, as string) []byte {
	t.Helper()
	b, err := attest.ParseBundle(data)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.UnverifiedStatement()
	if err != nil {
		t.Fatal(err)
	}
	id, err := identity.ParseID(as)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := attest.NewClaim(attest.PredicateType, []attest.Subject{runSubject(id)},
		map[string]any{"identity": as, "declaration": rawJSON(s.Declaration)})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := attest.Sign(ctx, claim, k.ci, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, forged)
}

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

func marshal(t testing.TB, b *attest.Bundle) []byte {
	t.Helper()
	data, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestAncestorMembers: what rules see of an ancestor.
func TestAncestorMembers(t *testing.T) {
	k, root := newLineageTest(t, ""), newClock(t).root(t)
	for _, c := range []struct{ expr, want string }{
		{`ancestors.size() == 2 && ancestors[0].id == run.parents[0] && ancestors[1].id == ancestors[0].parents[0] && ancestors[1].parents == []`, "allowed"},
		{`ancestors.all(a, a.kind == "training" && a.signers.size() == 1 && a.signers[0].name == "ci" && a.signers[0].kind == "key")`, "allowed"},
		{`ancestors.all(a, !has(a.declaredBy))`, "allowed"},
		{`ancestors.exists(a, a.approvals.exists(p, p.approver == "alice" && p.role == "safety" && p.decision == "approved"))`, "allowed"},
		{`ancestors[0].declaredBy < now`, "r: cannot be evaluated, so the run is denied: no such key: declaredBy"},
		{`time.verified && ancestors.all(a, has(a.declaredBy) && time.timestamps.all(t, a.declaredBy < t.time - t.accuracy))`, "r: not met: time.verified && ancestors.all(a, has(a.declaredBy) && time.timestamps.all(t, a.declaredBy < t.time - t.accuracy))"}, // as docs/graph.md has it
		{`ancestors[2].approved`, "r: cannot be evaluated, so the run is denied: index out of bounds: 2"},
		{`ancestors == ancestors && ancestors[0] in ancestors && !(ancestors[0] in [ancestors[1]])`, "allowed"},
		{`(ancestors + ancestors).size() == 4 && ancestors.map(a, a.kind) == ["training", "training"]`, "allowed"},
		{`[1].all(ancestors, ancestors == 1)`, "allowed"},
		{`run.parents.all(p, ancestors.exists(a, a.id == p))`, "allowed"},
		{`dyn(ancestors)[0].kind == "training"`, "allowed"},
	} {
		one := *k
		one.Policy = policyOf(t, k.ci, root+fmt.Sprintf("approvals: {required: 0, approvers: [{name: alice, role: safety, keys: [{key: %s}]}]}\nrules: [{name: r, expr: %q}]\n", pemOf(t, k.alice), c.expr))
		d := one.ask(k.child, Given{
			Approvals: []Approval{k.says(k.first, Approved, k.alice)},
			Lineage:   one.lineage(k.input("first", k.first, k.ci), k.input("second", k.second, k.ci)),
		})
		if got := told(d); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.expr, got, c.want)
		}
	}
}

// TestApprovedAncestors: an ancestor is approved as a run is, and at least once.
func TestApprovedAncestors(t *testing.T) {
	k := newLineageTest(t, "")
	for _, c := range []struct {
		approvals string
		by        []signer.Signer
		want      bool
	}{
		{"required: 0", nil, false},
		{"required: 0", []signer.Signer{k.bob}, true},
		{"required: 1", nil, false},
		{"required: 1", []signer.Signer{k.bob}, true},
		{"required: 2", []signer.Signer{k.bob, k.bob}, false},
		{"required: 2", []signer.Signer{k.alice, k.bob}, true},
		{"required: 1, roles: {safety: 1}", []signer.Signer{k.bob}, false},
		{"required: 1, roles: {safety: 1}", []signer.Signer{k.alice}, true},
	} {
		one := *k
		one.Policy = policyOf(t, k.ci, "approvals: {"+c.approvals+", approvers: [{name: alice, role: safety, keys: [{key: "+pemOf(t, k.alice)+"}]}, {name: bob, keys: [{key: "+pemOf(t, k.bob)+"}]}]}\n"+
			"rules: [{name: r, expr: 'ancestors.all(a, a.approved)'}]\n")
		given := Given{Lineage: one.lineage(k.input("first", k.first, k.ci))}
		for _, by := range c.by {
			given.Approvals = append(given.Approvals, k.says(k.first, Approved, by))
		}
		d := one.ask(k.second, given)
		if met := d.Rules[0].Met; met != c.want {
			t.Errorf("%s by %d: %v, want %v", c.approvals, len(c.by), met, c.want)
		}
	}
}

// TestNeedsLineage: found out from the expressions.
func TestNeedsLineage(t *testing.T) {
	by := newSigner(t)
	known := newClock(t).root(t) + someApprover(t)
	for expr, want := range map[string]bool{
		`true`: false, `ancestors.size() == 0`: true, `declaration.model.name == "ancestors"`: false, `run.parents.all(p, true)`: false,
		`declaration.kind != "evaluation" || ancestors.exists(a, a.approved)`: true, `[1].exists(x, x == ancestors.size())`: true,
		`.ancestors.size() == 0`: true, `{"a": ancestors}.size() == 1`: true, `has(ancestors[0].declaredBy)`: true,
	} {
		if got := policyOf(t, by, known+fmt.Sprintf("rules: [{name: r, expr: %q}]\n", expr)).NeedsLineage(); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
	if !policyOf(t, by, "rules: [{name: r, expr: 'false', message: '{{ancestors.size()}}'}]\n").NeedsLineage() {
		t.Error("a message reads them, too")
	}
}

// TestLineageNotOurs: a lineage that another trust has verified is misuse, and no answer.
func TestLineageNotOurs(t *testing.T) {
	k, other := newLineageTest(t, approvedTrainings), newLineageTest(t, approvedTrainings)
	other.first, other.ci = k.first, k.ci
	if d, err := k.Evaluate(ctx, k.verified(k.child), Given{Lineage: other.lineage(k.input("x", k.first, k.ci)), Now: now}); !errors.Is(err, ErrNotOurs) {
		t.Errorf("decided %v, %v", d, err)
	}
}

// TestExplainAncestors: the ancestor that decided has a name.
func TestExplainAncestors(t *testing.T) {
	k := newLineageTest(t, approvedTrainings)
	graph := k.lineage(k.input("first", k.first, k.ci), k.input("second", k.second, k.ci))
	v := k.verified(k.child)
	explain := func(given Given) string {
		given.Now = now
		rules, err := k.Explain(ctx, v, given)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rules[0].Value, " ", rules[0].Because)
	}
	got := explain(Given{Lineage: graph, Approvals: []Approval{k.says(k.second, Approved, k.alice)}})
	first, second := parse(t, k.first).ID(), parse(t, k.second).ID()
	for _, want := range []string{"false [", fmt.Sprintf("{ancestors [%s,%s]}", second, first), "{a.approved false}", fmt.Sprintf("{a %s}", first)} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	if got, want := explain(Given{}), "error: it asks for the run's ancestors"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// timed has the clock end evaluations after atMost: after so long that what they cost ends them first, or at once.
func timed(t *testing.T, atMost time.Duration) {
	t.Helper()
	usual := evaluationTime
	evaluationTime = atMost
	t.Cleanup(func() { evaluationTime = usual })
}

// TestManyAncestors: a large lineage does not stall a policy.
func TestManyAncestors(t *testing.T) {
	timed(t, time.Hour)
	by := newSigner(t)
	run := parse(t, withParents(declarationText, parse(t, declarationText).ID()))
	many := func(n int) func() (iter.Seq[lineage.Ancestor], error) {
		return func() (iter.Seq[lineage.Ancestor], error) {
			return func(yield func(lineage.Ancestor) bool) {
				a := lineage.Ancestor{ID: run.ID(), Kind: "training", Parents: []identity.ID{run.ID()}, Signers: []evidence.SignerIdentity{{Kind: "key", Name: "ci"}}}
				if n == 1 {
					a.Signers = slices.Repeat(a.Signers, 100_000)
				}
				for range n {
					if !yield(a) {
						return
					}
				}
			}, nil
		}
	}
	for name, c := range map[string]struct {
		n          int
		expr, want string
	}{
		"all":       {100_000, `ancestors.all(a, a.kind != "training" || !a.approved)`, "allowed"},
		"in":        {100_000, `ancestors.all(a, a in ancestors)`, "cost limit"},
		"square":    {100_000, `ancestors.all(a, ancestors.all(b, a.id == b.id))`, "cost limit"},
		"map":       {100_000, `ancestors.map(a, a).size() == 0`, "cost limit"},
		"equal":     {100_000, `[1,2,3,4,5,6,7,8,9].all(x, ancestors == ancestors)`, "cost limit"},
		"again":     {100_000, `declaration.parameters.list.all(x, declaration.parameters.list.all(y, ancestors[0].approved || true))`, "allowed"},
		"judged":    {2, `declaration.parameters.list.all(x, declaration.parameters.list.all(y, !ancestors[0].approved && ancestors[0].approvals == []))`, "allowed"},
		"signed":    {1, `[1,2,3,4,5,6,7].all(x, [1,2,3,4,5,6,7].all(y, !ancestors[0].approved))`, "cost limit"},
		"a million": {1_000_000, `ancestors.size() > 0`, "the run has more than 200000 ancestors"},
	} {
		p := policyOf(t, by, someApprover(t)+fmt.Sprintf("rules:\n  - name: r\n    expr: %q\n", c.expr))
		start := time.Now()
		s := subject{id: run.ID(), declaration: run, asOf: asOf{now: now}, ancestors: many(c.n)}
		if name == "judged" {
			s.stated = map[identity.ID][]statedDecision{run.ID(): make([]statedDecision, 10_000)}
			s.approvals = make([]ApprovalResult, 1)
		}
		d, err := p.decide(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := told(d); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %.300s, want %s", name, got, c.want)
		}
		t.Logf("%s: %v", name, time.Since(start))
	}
}

// TestRehearsedLineage: declarations stand for ancestors.
func TestRehearsedLineage(t *testing.T) {
	k := newLineageTest(t, approvedTrainings)
	first, second := parse(t, k.first), parse(t, k.second)
	approval := func(d *identity.Declaration) RehearsedApproval {
		return RehearsedApproval{Approver: "alice", Run: d.ID(), Decision: Approved, Reason: "ok"}
	}
	for name, c := range map[string]struct {
		lineage []*identity.Declaration
		given   []RehearsedApproval
		want    string
	}{
		"approved":   {[]*identity.Declaration{first, second}, []RehearsedApproval{approval(first), approval(second)}, "allowed"},
		"one":        {[]*identity.Declaration{first, second}, []RehearsedApproval{approval(first)}, "approved-trainings: not approved: [" + second.ID().String() + "]"},
		"missing":    {[]*identity.Declaration{second}, nil, "missing: it is not among the lineage"},
		"no lineage": {nil, nil, "give the bundles of the ancestors as its lineage"},
	} {
		d, err := k.Rehearse(ctx, Rehearsal{Declaration: parse(t, k.child), Lineage: c.lineage, Approvals: c.given, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if got := told(d); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestCasesLineage: a case names its lineage as it names its run: declarations are rehearsed, bundles verified.
func TestCasesLineage(t *testing.T) {
	k := newLineageTest(t, approvedTrainings)
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("policy.yaml", []byte(header(t, k.ci)+"approvals: {required: 0, approvers: [{name: alice, keys: [{key: "+pemOf(t, k.alice)+"}]}]}\n"+approvedTrainings))
	for name, text := range map[string]string{"first": k.first, "second": k.second, "child": k.child} {
		write(name+".json", []byte(text))
		write(name+".sigstore.json", k.input(name, text, k.ci).Data)
		write(name+".approval.json", marshal(t, k.says(text, Approved, k.alice).Bundle))
	}
	run := "{approver: alice, decision: approved, reason: ok, run: '%s'}"
	approvals := fmt.Sprintf("["+run+", "+run+"]", parse(t, k.first).ID(), parse(t, k.second).ID())
	load := func(cases string) (*Cases, error) {
		write("cases.yaml", []byte("schema: "+CasesSchema+"\npolicy: policy.yaml\ncases:\n"+cases))
		return LoadCases(filepath.Join(dir, "cases.yaml"), options)
	}
	cases, err := load("- {name: rehearsed, declaration: child.json, family: [first.json, second.json], approvals: " + approvals + ", expect: allow}\n" +
		"- {name: unapproved, declaration: child.json, family: [first.json, second.json], expect: deny, rules: [approved-trainings]}\n" +
		"- {name: none, declaration: child.json, expect: deny, rules: [approved-trainings]}\n" +
		"- {name: verified, bundle: child.sigstore.json, family: [first.sigstore.json, second.sigstore.json], approvals: [first.approval.json, second.approval.json], expect: allow}\n" +
		"- {name: one, bundle: child.sigstore.json, family: [first.sigstore.json, second.sigstore.json], approvals: [first.approval.json, child.approval.json], expect: deny}\n" +
		"- {name: gap, bundle: child.sigstore.json, family: [second.sigstore.json], approvals: [first.approval.json, second.approval.json], expect: deny}\n")
	if err != nil {
		t.Fatal(err)
	}
	results, err := cases.Run(ctx)
	if err != nil || len(results) != 6 {
		t.Fatalf("%d, %v", len(results), err)
	}
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s: %s", r.Name, r.Problem)
		}
	}
	for one, want := range map[string]string{
		"declaration: child.json, family: []":                                                            "/cases/0/family: 0 elements",
		"declaration: child.json, family: [first.sigstore.json]":                                         "/cases/0/family/0: ",
		"declaration: child.json, family: [nosuch.json]":                                                 "/cases/0/family/0: ",
		"declaration: child.json, family: [../first.json]":                                               "want the path of a file below",
		"bundle: child.sigstore.json, family: [5]":                                                       "is of type number, want string",
		"bundle: child.sigstore.json, approvals: [{approver: alice, decision: rejected}]":                "/cases/0/approvals: beside a bundle",
		"bundle: child.sigstore.json, signed: 2026-01-01T00:00:00Z":                                      "/cases/0/signed: a bundle is verified",
		"bundle: child.sigstore.json, annotations: {ticket: x}":                                          "/cases/0/annotations: a bundle is verified",
		"declaration: child.json, approvals: [{approver: alice, decision: approved, run: x}]":            "/cases/0/approvals/0/run: ",
		"declaration: child.json, approvals: [{approver: alice, decision: approved, reason: 5, run: 5}]": "/cases/0/approvals/0/run: is of type number",
	} {
		_, err := load("- {name: a, expect: deny, " + one + "}\n")
		var invalid *InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(fmt.Sprint(invalid.Problems), want) {
			t.Errorf("%s: %v, want %s", one, err, want)
		}
	}
}
