package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestProblems: what is wrong with a text, and where.
func TestProblems(t *testing.T) {
	oneLine := func(int) int { return 7 }
	for name, c := range map[string]struct {
		source  Source
		message bool
		code    string
		at      int
		about   string // the text from there on
	}{
		"type":                  {Source{Text: "declaration.kind"}, false, "type", Whole, ""},
		"syntax":                {Source{Text: "true &&"}, false, "cel", 7, ""},
		"unknown member":        {Source{Text: "'é' != '' ||\ndeclaration.modle == 1"}, false, "cel", 24, ".modle == 1"},
		"in a message":          {Source{Text: "é {{now}} is {{nov}}"}, true, "cel", 15, "nov}}"},
		"two in a message":      {Source{Text: "{{nov}} {{nov}}"}, true, "cel", 2, "nov}} {{nov}}"},
		"open message":          {Source{Text: "{{now"}, true, "value", Whole, ""},
		"long message":          {Source{Text: strings.Repeat("x", 16_385)}, true, "value", Whole, ""},
		"pattern":               {Source{Text: `declaration.kind.matches("\b")`}, false, "cel-pattern", 25, `"\b")`},
		"zone":                  {Source{Text: `now.getHours("Europe/Berlin") > 7`}, false, "value", 13, `"Europe/Berlin") > 7`},
		"zone of the machine":   {Source{Text: `true && now.getDate("Local") > 7`}, false, "value", 20, `"Local") > 7`},
		"zone of a path":        {Source{Text: `now.getMinutes("../x") > 7`}, false, "value", 15, `"../x") > 7`},
		"zone without a name":   {Source{Text: `now.getMinutes("") > 7`}, false, "value", 15, `"") > 7`},
		"zone not constant":     {Source{Text: `now.getSeconds(declaration.kind) > 7`}, false, "value", 26, ".kind) > 7"},
		"regular expression":    {Source{Text: `declaration.kind.matches("(")`}, false, "cel", Whole, ""},
		"joined lines":          {Source{Text: "true // a", Form: YAML, Line: func(n int) int { return n / 8 }}, false, "cel-comment", 5, "// a"},
		"carriage return":       {Source{Text: "true // a\r && false"}, false, "cel-comment", 5, "// a\r && false"},
		"a break that is text":  {Source{Text: `true // a\n && false`, Form: JSON, Line: oneLine}, false, "cel-comment", 5, `// a\n && false`},
		"the same in a literal": {Source{Text: `true // a\n && false`, Line: oneLine}, false, "", 0, ""},
		"right":                 {Source{Text: "declaration.kind == 'agent' // a", Form: YAML, Line: oneLine}, false, "", 0, ""},
	} {
		var r Rule
		read := r.ReadCondition
		if c.message {
			read = r.ReadMessage
		}
		found := read(c.source)()
		if c.code == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		if len(found) == 0 || found[0].Code != c.code || found[0].At != c.at || found[0].Message == "" {
			t.Errorf("%s: got %+v, want %s at %d", name, found, c.code, c.at)
			continue
		}
		if runes := []rune(c.source.Text); c.at != Whole && string(runes[c.at:]) != c.about {
			t.Errorf("%s: is about %q, want %q", name, string(runes[c.at:]), c.about)
		}
		if r.ast != nil || r.message != nil {
			t.Errorf("%s: the rule has what is wrong", name)
		}
	}
}

// TestCheck: a condition about what there never is, or that compares a member with a text that it never has.
func TestCheck(t *testing.T) {
	scope := Scope{NoApprovals: true, Timeless: "no clock", Words: map[string][]string{"Run.kind": {"agent"}}}
	for condition, want := range map[string]string{
		"approvals == []":                        "reads approvals",
		"ancestors.all(a, a.approved)":           "reads approved of an ancestor",
		"time.verified":                          "trusted time: no clock",
		"run.kind == 'agents'":                   `compares kind with "agents"`,
		"run.kind == 'agent' || now != now":      "",
		"time.verified || run.kind in ['a','b']": "trusted time | compares kind with \"a\" | compares kind with \"b\"",
	} {
		found := ruleOf(t, condition, "").Check(scope)
		if (want == "") != (len(found) == 0) || want != "" && len(found) != len(strings.Split(want, " | ")) {
			t.Errorf("%s: %+v, want %s", condition, found, want)
			continue
		}
		for i, part := range strings.Split(want, " | ") {
			if want != "" && (!strings.Contains(found[i].Message, part) || found[i].Hint == "" || found[i].At != Whole) {
				t.Errorf("%s: %+v, want %s", condition, found[i], part)
			}
		}
		if found := ruleOf(t, condition, "").Check(Scope{}); len(found) > 0 {
			t.Errorf("%s: refused where all can be: %+v", condition, found)
		}
	}
}

// TestNotMet: a rule that was not read, and one whose ancestors are not known, are not met, whatever their conditions are.
func TestNotMet(t *testing.T) {
	ctx, unknown := context.Background(), errors.New("unknown")
	var none Rule
	if found := none.Check(Scope{NoApprovals: true, Timeless: "x"}); len(found) > 0 {
		t.Errorf("no condition: %+v", found)
	}
	v := Values{Declaration: declared(t, declarationText), NoAncestors: unknown}
	for _, r := range []*Rule{&none, ruleOf(t, "true || ancestors == []", ""), ruleOf(t, "true", "{{ancestors}}")} {
		e := evaluate(t, ctx, r, v)
		if yes, err := e.Met(r); yes || err == nil || r != &none && !errors.Is(err, unknown) {
			t.Errorf("%s: %v, %v", r.Condition(), yes, err)
		}
		if value, because, err := e.Explain(r); !strings.HasPrefix(value, "error: ") || len(because) > 0 || err != nil {
			t.Errorf("%s: explained as %s, %v, %v", r.Condition(), value, because, err)
		}
	}
	r := ruleOf(t, "declaration.kind == 'training'", "")
	if yes, err := evaluate(t, ctx, r, v).Met(r); !yes || err != nil {
		t.Errorf("a rule that reads no ancestors: %v, %v", yes, err)
	}
}

// TestValues: each value is there by its name; what is zero, and can be left out, is not.
func TestValues(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	approval := Approval{"alice", "legal", "approved", "fine", []string{"c"}, at, at}
	asked := 0
	v := Values{
		Declaration: declared(t, declarationText), Run: Run{"id", "training", []string{"p"}}, Signer: Signer{"key", "ci", "i", "ed25519"},
		Time:        Time{[]Timestamp{{"timestamp", "tsa", at, time.Second}}, at.Add(time.Second), at.Add(time.Hour)},
		Annotations: map[string]string{"ticket": "ML-1"}, Approvals: NewApprovals([]Approval{approval, {}}), Now: at,
		Ancestors: []func() Ancestor{func() Ancestor {
			asked++
			return Ancestor{"p", "agent", nil, []Signer{{Name: "ci"}}, true, NewApprovals([]Approval{approval}), at}
		}, func() Ancestor { return Ancestor{} }},
	}
	const when = `timestamp("2026-01-02T03:04:05Z")`
	for _, condition := range []string{
		"declaration.kind == 'training' && declaration.parameters.list == [1, 2, 3]", "run.id == 'id' && run.kind == 'training' && run.parents == ['p']",
		"signer.kind == 'key' && signer.name == 'ci' && signer.issuer == 'i' && signer.algorithm == 'ed25519'", "annotations.ticket == 'ML-1'", "now == " + when,
		"time.verified && time.earliest == " + when + " + duration('1s') && time.latest == " + when + " + duration('1h')",
		"time.timestamps.exists(t, t.kind == 'timestamp' && t.authority == 'tsa' && t.time == now && t.accuracy == duration('1s'))",
		"approvals[0].approver == 'alice' && approvals[0].role == 'legal' && approvals[0].decision == 'approved' && approvals[0].reason == 'fine'",
		"approvals[0].conditions == ['c'] && approvals[0].expires == now && approvals[0].time == now",
		"!has(approvals[1].expires) && !has(approvals[1].time) && approvals[1].conditions == []",
		"ancestors[0].id == 'p' && ancestors[0].kind == 'agent' && ancestors[0].parents == [] && ancestors[0].signers[0].name == 'ci'",
		"ancestors[0].approved && ancestors[0].approvals.size() == 1 && ancestors[0].declaredBy == now",
		"!ancestors[1].approved && ancestors[1].approvals == [] && !has(ancestors[1].declaredBy)",
	} {
		if got := met(t, context.Background(), condition, v); got != "met" {
			t.Errorf("%s: %s", condition, got)
		}
	}
	if asked == 0 {
		t.Error("no rule has asked for the ancestor")
	}
	if got := met(t, context.Background(), "!time.verified && !has(time.earliest) && time.timestamps == [] && approvals == [] && ancestors == []", Values{}); got != "met" {
		t.Errorf("no values: %s", got)
	}
}

// TestExplain: the steps that decided, of values on the way, too.
func TestExplain(t *testing.T) {
	r := ruleOf(t, "run.kind == 'agent' || declaration.constraints.budget <= 10 // all", "")
	var s Set
	s.Add(r)
	e, err := s.Whole().Evaluate(context.Background(), Values{Declaration: declared(t, declarationText)})
	if err != nil {
		t.Fatal(err)
	}
	value, because, err := e.Explain(r)
	if err != nil || value != "false" {
		t.Errorf("explained as %s, %v", value, err)
	}
	if want := []Step{{`run.kind == "agent"`, "false"}, {"run.kind", `""`}, {"declaration.constraints.budget <= 10", "false"}, {"declaration.constraints.budget", "50"}}; !slices.Equal(because, want) {
		t.Errorf("because of %s, want %s", fmt.Sprint(because), fmt.Sprint(want))
	}
}
