package policy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
)

const unmet = ": no run meets the rule"

// staffed is a policy of two kinds and two signers; alice, bob and carol approve, and the key of the signer ada is of alice.
func staffed(t *testing.T, required int) string {
	t.Helper()
	alice := pemOf(t, newSigner(t))
	return fmt.Sprintf("schema: %s\nkinds: [training, batch]\nsigners: {keys: [{name: ci, key: %s}, {name: ada, key: %s}]}\n"+
		"approvals: {required: %d, approvers: [{name: alice, role: legal, keys: [{key: %s}]}, {name: bob, keys: [{key: %s}]}, {name: carol, role: safety, keys: [{key: %s}]}]}\n",
		Schema, pemOf(t, newSigner(t)), alice, required, alice, pemOf(t, newSigner(t)), pemOf(t, newSigner(t)))
}

func withRule(head, severity, expr string) string {
	return head + fmt.Sprintf("rules: [{name: r, severity: %s, expr: %q}]\n", severity, expr)
}

// TestUnreachable: a rule is refused that is false for every kind, signer and list of approvals, and no other.
func TestUnreachable(t *testing.T) {
	one, none := staffed(t, 1), staffed(t, 0)
	alone := "schema: " + Schema + "\nkinds: [training]\nsigners: {keys: [{name: ci, key: " + pemOf(t, newSigner(t)) + "}]}\n"
	const approvals, kind, signer = "is false for every list of approvals that", "is false for every kind that", "is false for every signer that"
	for _, c := range []struct{ head, expr, want string }{
		{one, `approvals.size() >= 4`, approvals},
		{one, `size([signer]) == 2`, signer},
		{one, `[run, run].size() == 1`, kind},
		{one, `approvals.size() > 2 && signer.name == "ada"`, "is false for every signer and list of approvals that"},
		{one, `approvals.size() > 2 && signer.name == "ci"`, ""},
		{one, `size(approvals) == 0`, approvals},
		{none, `size(approvals) == 0`, ""},
		{one, `"dave" in approvals.map(a, a.approver + "")`, approvals},
		{one, `"carol" in approvals.map(a, a.approver)`, ""},
		{one, `approvals.map(a, a.role).exists(r, r.startsWith("p"))`, approvals},
		{one, `approvals.filter(a, a.role == "legal").size() >= 2`, approvals},
		{one, `approvals.exists(a, a.decision == "rejected")`, approvals},
		{one, `approvals.exists(a, a.approver == "alice") && signer.name == "ada"`, "is false for every signer and list"},
		{one, `approvals[0].approver == "carol" && approvals[1].approver == "bob"`, ""},
		{one, `approvals[3].approver != "alice"`, approvals},
		{one, `approvals[?3].?approver.orValue("") != ""`, approvals},
		{one, `approvals[?3].hasValue()`, ""}, // not looked into
		{one, `approvals.size() == 4 && declaration.model.name == "m"`, approvals},
		{one, `approvals.size() == 4 || declaration.model.name == "m"`, ""},
		{one, `declaration.model.name == "m" ? approvals.size() == 4 : declaration.kind == "agent"`, "is false for every kind and list"},
		{one, `approvals.exists(a, a.reason == "fine")`, ""},
		{one, `approvals.exists(a, a.reason != "" && a.approver == "bob")`, ""},
		{one, `approvals.map(a, a).exists(a, a.approver == "bob" && a.role == "safety")`, approvals},
		{one, `approvals.all(a, approvals == [a])`, ""},
		{one, `ancestors.all(a, a.approvals.size() > 9)`, ""},
		{alone, `declaration.kind != "training"`, kind},
		{alone, `!(run.kind in ["training"])`, kind},
		{alone, `run.kind.startsWith("b")`, kind},
		{alone, `declaration.kind != "training" || annotations.size() > 0`, ""},
		{alone, `signer.name != "ci"`, signer},
		{alone, `signer.issuer.startsWith("https://")`, signer},
		{alone, `now < timestamp("2020-01-01T00:00:00Z")`, ""},
		{alone, `false`, ""}, // on purpose
		{alone, `declaration.kind == "training" && false`, "is false whatever the run is"},
	} {
		_, err := Parse([]byte(withRule(c.head, "deny", c.expr)), options)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), "/rules/0/expr: "+c.want) || !strings.Contains(err.Error(), unmet)) {
			t.Errorf("%s: %v, want %q", c.expr, err, c.want)
		}
		if _, err := Parse([]byte(withRule(c.head, "warn", c.expr)), options); err != nil {
			t.Errorf("%s as a warning: %v", c.expr, err)
		}
	}
}

// TestExclusive: rules are refused that may each be met, and never together.
func TestExclusive(t *testing.T) {
	one, none := staffed(t, 1), staffed(t, 0)
	type list = []string
	for _, c := range []struct {
		head, last string // its severity
		exprs      list
		want       string
	}{
		{one, "deny", list{`signer.name == "ada" && approvals.size() >= 1`, `approvals.exists(a, a.approver == "alice")`}, `/rules/1/expr: no run that this policy allows meets the rules "r0" and "r1" together`},
		{one, "deny", list{`declaration.kind == "training"`, `annotations.size() < 9`, `run.kind == "batch"`}, `/rules/2/expr: no run that this policy allows meets the rules "r0" and "r2" together`},
		{none, "deny", list{`signer.name == "ci"`, `signer.name == "ada"`}, `the rules "r0" and "r1" together`},
		{none, "deny", list{`approvals.size() > 2`, `signer.name == "ada" && now < timestamp("2020-01-01T00:00:00Z")`}, `the rules "r0" and "r1" together`},
		{none, "deny", list{`approvals.size() < 2 || run.kind == "batch"`, `approvals.size() > 1`, `run.kind == "training"`}, `the rules "r0", "r1" and "r2" together`},
		{none, "deny", list{`approvals.size() < 2`, `approvals.size() > 1 || declaration.model.name == "m"`, `run.kind == "training"`}, ""},
		{none, "warn", list{`signer.name == "ci"`, `signer.name == "ada"`}, ""},
		{none, "deny", list{`signer.name != "ci" || approvals.size() == 3`, `signer.name != "ada" || approvals.size() == 2`}, ""},
		{none, "deny", list{`signer.name == "ci"`, `false`}, ""}, // on purpose
		{none, "deny", list{`declaration.model.name == "m"`, `declaration.model.name == "n"`}, `/rules/1/expr: no run that this policy allows meets the rules "r0" and "r1" together`},
		{none, "deny", list{`declaration.model.name == "m"`, `declaration.parameters.n > 3`, `declaration.parameters.n < 3`}, `the rules "r1" and "r2" together`},
		{none, "deny", list{`declaration.model.name in ["a", "b"]`, `run.kind != "batch"`, `declaration.model.name in ["b", "c"]`, `declaration.model.name in ["a", "c"]`}, `the rules "r0", "r2" and "r3" together`},
		{none, "warn", list{`declaration.parameters.n > 3`, `declaration.parameters.n < 3`}, ""},
		{none, "deny", list{`declaration.model.name == "m"`, `!(declaration.model.version == "n")`}, ""},
	} {
		text := c.head + "rules:\n"
		for i, expr := range c.exprs {
			severity := "deny"
			if i == len(c.exprs)-1 {
				severity = c.last
			}
			text += fmt.Sprintf("  - {name: r%d, severity: %s, expr: %q}\n", i, severity, expr)
		}
		if _, err := Parse([]byte(text), options); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.exprs, err, c.want)
		}
	}
}

// TestUnreachableOfMany: of more approvers than can be put in every order, how many there are is known, and not who.
func TestUnreachableOfMany(t *testing.T) {
	var approvers []string
	for i := range 9 {
		approvers = append(approvers, fmt.Sprintf("{name: a%d, role: r%d, keys: [{key: %s}]}", i, i, pemOf(t, newSigner(t))))
	}
	head := header(t, newSigner(t)) + "approvals: {required: 2, approvers: [" + strings.Join(approvers, ", ") + "]}\n"
	for expr, refused := range map[string]bool{
		`approvals.size() >= 10`: true, `approvals.size() >= 9`: false, `approvals.size() == 1`: true, `approvals.size() == 2`: false,
		`approvals.exists(a, a.approver == "a8")`: false, `approvals.all(a, a.approver == "a8" || a.approver == "a1")`: false,
		`approvals[0].approver == "a8" && approvals.size() == 1`: true, `approvals.exists(a, a.approver == "a8" && a.role == "r7")`: true,
		`approvals.exists(a, a.approver.startsWith("b"))`: false, // more than a comparison: not looked into
		`approvals.exists(a, a.decision == "rejected")`:   true, `approvals[0].approver == "a8" && approvals[8].role == "r0"`: false,
	} {
		if _, err := Parse([]byte(withRule(head, "deny", expr)), options); (err != nil) != refused || err != nil && !strings.Contains(err.Error(), unmet) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

// TestUnreachableAgrees compares what is refused with decisions about runs of every kind, by every signer and with every list of
// approvals: no rule is refused that one of them meets, and of rules that read nothing else, each that none of them meets is.
func TestUnreachableAgrees(t *testing.T) {
	t.Run("few approvers", func(t *testing.T) { agreesOnRules(t, 200, staffed(t, 0), staffed(t, 1)) })
	defer func(before int) { arranged = before }(arranged)
	arranged = 0 // so that four are many
	erin := fmt.Sprintf("{name: erin, role: legal, keys: [{key: %s}]}, {name: bob,", pemOf(t, newSigner(t)))
	more := func(head string) string { return strings.Replace(head, "{name: bob,", erin, 1) }
	t.Run("many approvers", func(t *testing.T) { agreesOnRules(t, 100, more(staffed(t, 0)), more(staffed(t, 1))) })
}

// agreesOnRules compares so many random rules of policies with these heads.
func agreesOnRules(t *testing.T, n int, heads ...string) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(all ...string) string { return all[random.IntN(len(all))] }
	number := func() string { return fmt.Sprint(random.IntN(5)) }
	compare := func() string { return pick(" == ", " != ", " < ", " >= ") }
	person := func() string { return pick(`"alice"`, `"bob"`, `"carol"`) }
	role := func() string { return pick(`"legal"`, `"safety"`, `""`) }
	kind := func() string { return pick(`"training"`, `"batch"`, `"agent"`) }
	known := []func() string{
		func() string { return "approvals.size()" + compare() + number() },
		func() string { return "approvals.exists(a, a.approver == " + person() + ")" },
		func() string { return "approvals.all(a, a.role == " + role() + ")" },
		func() string {
			return "approvals.exists_one(a, a.decision == " + pick(`"approved"`, `"rejected"`) + ")"
		},
		func() string { return person() + " in approvals.map(a, a.approver)" },
		func() string { return "approvals.filter(a, a.role != " + role() + ").size()" + compare() + number() },
		func() string { return "approvals[" + pick("0", "1", "2") + "].approver == " + person() },
		func() string { return "approvals.map(a, a.role) == [" + role() + ", " + role() + "]" },
		func() string { return "declaration.kind" + pick(" == ", " != ") + kind() },
		func() string { return "run.kind in [" + kind() + ", " + kind() + "]" },
		func() string { return "signer.name" + pick(" == ", " != ") + pick(`"ci"`, `"ada"`) },
	}
	unknown := []func() string{
		func() string { return "declaration.model.name == " + pick(`"m"`, `"n"`) },
		func() string { return "approvals.exists(a, a.reason == " + pick(`"x"`, `"y"`) + ")" },
		func() string { return "approvals.filter(a, a.reason == \"x\").size()" + compare() + number() },
		func() string { return "approvals[0] == approvals[1]" },
		func() string { return "annotations.size() == 0" },
	}
	var expression func(depth int, atoms []func() string) string
	expression = func(depth int, atoms []func() string) string {
		part := func() string { return "(" + expression(depth-1, atoms) + ")" }
		switch n := random.IntN(6); {
		case depth == 0 || n == 0:
			return atoms[random.IntN(len(atoms))]()
		case n == 1:
			return "!" + part()
		case n == 2:
			return part() + " ? " + part() + " : " + part()
		case n == 3:
			return part() + " || " + part()
		}
		return part() + " && " + part()
	}
	skipped, refusals, mixed := 0, 0, slices.Concat(known, unknown)
	for i := range n {
		head, atoms := heads[i%2], known
		if i%4 > 1 {
			atoms = mixed
		}
		expr := expression(3, atoms)
		rule := func(severity string) string { return withRule(head, severity, expr) }
		if i%8 > 3 { // as two rules
			one, other := expression(2, atoms), expression(2, atoms)
			expr = one + " and " + other
			rule = func(severity string) string {
				return head + fmt.Sprintf("rules: [{name: r, severity: %[1]s, expr: %[2]q}, {name: s, severity: %[1]s, expr: %[3]q}]\n", severity, one, other)
			}
		}
		p, err := Parse([]byte(rule("warn")), options)
		if err != nil && strings.Contains(err.Error(), "forbids nothing") { // such as size() < 3 || size() >= 1: also of a warning
			if skipped++; skipped > n/20 {
				t.Errorf("%s: %v", expr, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		_, err = Parse([]byte(rule("deny")), options)
		switch met := isMetByOne(t, p); {
		case err != nil && met:
			t.Errorf("%s: refused, and can be met: %v", expr, err)
		case err == nil && !met && i%4 < 2:
			t.Errorf("%s: accepted, and cannot be met", expr)
		case err != nil:
			refusals++
		}
	}
	if refusals < n/10 || refusals > n*3/4 {
		t.Errorf("%d refusals", refusals)
	}
}

// isMetByOne says whether a run is allowed that meets all rules of a policy, whose rules are warnings.
func isMetByOne(t *testing.T, p *Policy) bool {
	t.Helper()
	for _, declaration := range declared {
		for _, k := range p.signers.keys {
			for _, reason := range []string{"x", "y"} {
				for _, given := range givenTo(p, k.Name, reason) {
					d, err := p.decide(context.Background(), subject{
						id: declaration.ID(), declaration: declaration, approvals: given, asOf: asOf{now: time.Unix(1e9, 0)},
						signer: evidence.SignerIdentity{Kind: evidence.SignedByKey, Name: k.Name, KeyHint: k.Key.Hint(), Algorithm: string(k.Key.Algorithm())},
					})
					if err != nil {
						t.Fatal(err)
					}
					if d.Allowed && len(d.Warnings) == 0 {
						return true
					}
				}
			}
		}
	}
	return false
}

// declared are declarations of three kinds and two models.
var declared = func() (all []*identity.Declaration) {
	for _, kind := range []string{"training", "batch", "agent"} {
		for _, model := range []string{"m", "n"} {
			d, err := identity.Parse([]byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"` + kind + `","model":{"name":"` + model +
				`"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`))
			if err != nil {
				panic(err)
			}
			all = append(all, d)
		}
	}
	return all
}()

// givenTo are lists of approvals of a run by that signer, in every order, and the same with a rejection behind them. ada has the key of alice.
func givenTo(p *Policy, signer, reason string) [][]ApprovalResult {
	said := func(by *approver, decision Verdict) ApprovalResult {
		return ApprovalResult{Counted: true, Approver: by.name, Role: by.role, Decision: decision, Reason: reason}
	}
	var all [][]ApprovalResult
	var add func(list []ApprovalResult)
	add = func(list []ApprovalResult) {
		all = append(all, list)
		for _, by := range p.approvals.approvers {
			if by.name == "bob" {
				all = append(all, append(slices.Clone(list), said(by, Rejected)))
			}
			if signer == "ada" && by.name == "alice" || slices.ContainsFunc(list, func(r ApprovalResult) bool { return r.Approver == by.name }) {
				continue
			}
			add(append(slices.Clone(list), said(by, Approved)))
		}
	}
	add(nil)
	return all
}
