package policy

import (
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
)

// TestSwallowedLine: however a policy is written, a comment ends where its author ended the line, or the policy is refused.
func TestSwallowedLine(t *testing.T) {
	head := header(t, newSigner(t)) + "rules:\n"
	indent := func(s string) string { return strings.ReplaceAll(s, "\n", "\n      ") }
	const folded = `/rules/0/expr: YAML joins the lines here, so that the comment takes in what follows on the next line`
	const a, b = "declaration.kind == 'training'", "declaration.constraints.budget <= 1"
	double := func(s string) string { return strings.ReplaceAll(s, "'", `\"`) }
	single := func(s string) string { return strings.ReplaceAll(s, "'", "''") }
	for name, c := range map[string]struct{ rule, want string }{
		"folded":                      {"  - name: r\n    expr: >" + indent("\n"+a+"  // trainings only\n&& "+b) + "\n", folded},
		"folded, stripped":            {"  - name: r\n    expr: >-" + indent("\n"+a+"  // trainings only\n&& "+b) + "\n", folded},
		"folded, kept":                {"  - name: r\n    expr: >+" + indent("\n"+a+"  // trainings only\n&& "+b) + "\n\n", folded},
		"folded, indented":            {"  - name: r\n    expr: >2-" + indent("\n"+a+"  // trainings only\n&& "+b) + "\n", folded},
		"folded, Windows":             {"  - name: r\r\n    expr: >\r\n      " + a + "  // trainings only\r\n      && " + b + "\r\n", folded},
		"folded, empty comment":       {"  - name: r\n    expr: >" + indent("\n"+a+" //\n&& "+b) + "\n", folded},
		"folded, second comment":      {"  - name: r\n    expr: >" + indent("\n// all\n\n"+a+" // trainings\n&& "+b) + "\n", folded},
		"folded, whole line":          {"  - name: r\n    expr: >" + indent("\n// trainings only\n"+a+"\n&& "+b) + "\n", folded},
		"folded, first line":          {"  - name: r\n    expr: >" + indent("\ntrue\n// trainings only\n&& "+b) + "\n", folded},
		"plain":                       {"  - name: r\n    expr: " + indent(a+"  // trainings only\n&& "+b) + "\n", folded},
		"plain, on its own lines":     {"  - name: r\n    expr:" + indent("\n"+a+"  // trainings only\n&& "+b) + "\n", folded},
		"plain, in a flow":            {"  - {name: r, expr: " + indent(a+"  // trainings only\n&& "+b) + "}\n", folded},
		"double-quoted":               {"  - name: r\n    expr: \"" + indent(double(a)+"  // trainings only\n&& "+b) + "\"\n", folded},
		"double-quoted, joined":       {"  - name: r\n    expr: \"" + indent(double(a)+"  // trainings only\\\n&& "+b) + "\"\n", folded},
		"double-quoted, hexadecimal":  {"  - name: r\n    expr: \"\\x0a\\u000a\\U0000000atrue\\x20 " + indent("// trainings only\n&& "+b) + "\"\n", folded},
		"double-quoted, slashes":      {"  - name: r\n    expr: \"" + indent(double(a)+"  \\x2F\\/ trainings only\n&& "+b) + "\"\n", folded},
		"double-quoted, slashes join": {"  - name: r\n    expr: \"" + indent(double(a)+"  /\\\n/ && "+b) + "\"\n", folded},
		"single-quoted":               {"  - name: r\n    expr: '" + indent(single(a)+"  // trainings only\n&& "+b) + "'\n", folded},
		"behind a string":             {"  - name: r\n    expr: >" + indent("\n'\\'' != \"https://\" && r'\\' != br\"//\\\" // said\n&& "+b) + "\n", folded},
		"behind a long string":        {"  - name: r\n    expr: >" + indent("\n'''it's //''' != \"\"\"//\"\"\" && '' == \"\" // said\n&& "+b) + "\n", folded},
		"message":                     {"  - name: r\n    expr: 'false'\n    message: >" + indent("\nbudget is {{ // dollars\nnow }}") + "\n", strings.Replace(folded, "expr", "message", 1)},
		"carriage return":             {"  - name: r\n    expr: \"" + double(a) + " // trainings only\\r && " + b + "\"\n", "a line break that does not end it"},
		"line separator":              {"  - name: r\n    expr: \"" + double(a) + " // trainings only\\u2028 && " + b + "\"\n", "a line break that does not end it"},
		"single-quoted escape":        {"  - name: r\n    expr: '" + single(a) + ` // trainings only\n && ` + b + "'\n", "which is text here"},
		"hexadecimal escape":          {"  - name: r\n    expr: '" + single(a) + ` // trainings only\x0a && ` + b + "'\n", "which is text here"},
		"Unicode escape":              {"  - name: r\n    expr: " + a + ` // trainings only\u000A && ` + b + "\n", "which is text here"},
		"plain escape":                {"  - name: r\n    expr: " + a + ` // trainings only\n && ` + b + "\n", "which is text here"},
		"next line's escape":          {"  - name: r\n    expr: '" + single(a) + ` // trainings only\N && ` + b + "'\n", `what follows \N, which is text here`},
		"line separator's escape":     {"  - name: r\n    expr: '" + single(a) + ` // trainings only\L&& ` + b + "'\n", `what follows \L, which is text here`},
		"paragraph's escape":          {"  - name: r\n    expr: " + a + ` // trainings only\P && ` + b + "\n", `what follows \P, which is text here`},
		"vertical tab's escape":       {"  - name: r\n    expr: " + a + ` // trainings only\v && ` + b + "\n", "which is text here"},
		"line separator in digits":    {"  - name: r\n    expr: " + a + ` // trainings only\u2028&& ` + b + "\n", "which is text here"},
		"next line in digits":         {"  - name: r\n    expr: " + a + ` // trainings only\x85 && ` + b + "\n", "which is text here"},
		"octal escape":                {"  - name: r\n    expr: " + a + ` // trainings only\012&& ` + b + "\n", "which is text here"},
		"long Unicode escape":         {"  - name: r\n    expr: " + a + ` // trainings only\U00002029&& ` + b + "\n", "which is text here"},
		// what stands on lines of its own counts
		"a path in a comment":     {"  - name: r\n    expr: '" + single(b) + ` // see \\files\Policies\Legal\very` + "'\n", "denied"},
		"an escape that ends it":  {"  - name: r\n    expr: '" + single(b) + ` // at most\n` + "'\n", "denied"},
		"literal":                 {"  - name: r\n    expr: |" + indent("\n"+a+"  // trainings only\n&& "+b) + "\n", "denied"},
		"literal, stripped":       {"  - name: r\n    expr: |-" + indent("\n// trainings only\n"+a+"\n&& "+b) + "\n", "denied"},
		"literal, Windows":        {"  - name: r\r\n    expr: |\r\n      " + a + "  // trainings only\r\n      && " + b + "\r\n", "denied"},
		"an escape":               {"  - name: r\n    expr: \"" + double(a) + `  // trainings only\n && ` + b + "\"\n", "denied"},
		"an escape in digits":     {"  - name: r\n    expr: \"" + double(a) + `  // trainings only\x0a && ` + b + "\"\n", "denied"},
		"an escape for Windows":   {"  - name: r\n    expr: \"" + double(a) + `  // trainings only\r\n && ` + b + "\"\n", "denied"},
		"folded, an empty line":   {"  - name: r\n    expr: >" + indent("\n"+a+"  // trainings only\n\n&& "+b) + "\n", "denied"},
		"folded, further indent":  {"  - name: r\n    expr: >" + indent("\n"+a+"\n  // trainings only\n  && "+b) + "\n", "denied"},
		"folded, without comment": {"  - name: r\n    expr: >" + indent("\n"+a+"\n&& "+b) + "\n", "denied"},
		"folded, a string":        {"  - name: r\n    expr: >" + indent("\n"+a+" && 'https://x' != \"http://\\\"//\"\n&& "+b) + "\n", "denied"},
		"folded, a raw string":    {"  - name: r\n    expr: >" + indent("\n"+a+" && r'\\' != '//'\n&& R\"\\\" != '' && "+b) + "\n", "denied"},
		"a path in a literal":     {"  - name: r\n    expr: |" + indent("\n// those of C:\\runs\\new\\u2028 only\n"+a+"\n&& "+b+` // in C:\n\runs`) + "\n", "denied"},
		"one line":                {"  - name: r\n    expr: '" + single(b) + " // at most'\n", "denied"},
		"last line":               {"  - name: r\n    expr: >" + indent("\n"+a+"\n&& "+b+" // at most") + "\n", "denied"},
	} {
		text := head + c.rule
		if strings.Contains(c.rule, "\r\n") {
			text = strings.ReplaceAll(head, "\n", "\r\n") + c.rule
		}
		if c.want == "denied" {
			p, err := Parse([]byte(text), options)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, c.rule)
				continue
			}
			d, err := p.Rehearse(ctx, Rehearsal{Declaration: parse(t, declarationText), Now: now})
			if err != nil || d.Allowed {
				t.Errorf("%s: allowed, %v\n%s", name, err, c.rule)
			}
			continue
		}
		p, err := Parse([]byte(text), options)
		if err == nil {
			t.Errorf("%s: accepted: %v\n%s", name, p.RuleNames(), c.rule)
			continue
		}
		if found := problems(t, text, options); !strings.Contains(found[0].String(), c.want) || found[0].Hint == "" || found[0].Code != "cel-comment" {
			t.Errorf("%s: got %s (%s), want %s", name, found[0], found[0].Hint, c.want)
		}
	}
	// in JSON a line feed is written, and no lines are joined
	one := `{"schema":"` + Schema + `","signers":{"keys":[{"name":"ci","key":` + pemOf(t, newSigner(t)) + `}]},"rules":[{"name":"r","expr":"`
	p, err := Parse([]byte(one+`true // all\n&& `+b+`"}]}`), options)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := p.Rehearse(ctx, Rehearsal{Declaration: parse(t, declarationText), Now: now}); err != nil || d.Allowed {
		t.Errorf("JSON: allowed, %v", err)
	}
	if p, err := Parse([]byte(one+`true // all\\n&& `+b+`"}]}`), options); err == nil {
		t.Errorf("JSON with a backslash: accepted: %v", p.RuleNames())
	}
	// what the hints say is accepted
	if _, err := Parse([]byte(one+`true // in C:/runs/new\n&& `+b+`"}]}`), Options{}); err != nil {
		t.Errorf("JSON as its hint says: %v", err)
	}
}

// TestSwallowedPlace: the problem is where the comment begins.
func TestSwallowedPlace(t *testing.T) {
	head := header(t, newSigner(t))
	const want = "line 9, column 13: /rules/0/expr: YAML joins"
	if got := problems(t, head+"rules:\n  - name: r\n    expr: >\n      true  // all\n      && false\n", options)[0].String(); !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCommentsInReports: where lines are joined, nothing that counts looks like a comment.
func TestCommentsInReports(t *testing.T) {
	by := newSigner(t)
	p := policyOf(t, by, "rules:\n  - name: r\n    expr: |\n      // trainings only\n      declaration.kind == 'training' // and\n      && declaration.constraints.budget <= 1\n")
	const want = "declaration.kind == 'training' && declaration.constraints.budget <= 1"
	if got := told(decide(t, p, declarationText, by)); got != "r: not met: "+want {
		t.Errorf("got %s, want %s", got, want)
	}
	v, err := p.Verifier().Verify(ctx, signRun(t, declarationText, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := p.Explain(ctx, v, Given{Now: now})
	if err != nil || rules[0].Expr != want {
		t.Errorf("explained as %v, %v, want %s", rules, err, want)
	}
}
