package policy

import (
	"strings"
	"testing"
)

// TestExpressionHint: CEL that YAML reads as something of its own has a hint, which works when it is followed.
func TestExpressionHint(t *testing.T) {
	head := header(t, newSigner(t)) + "rules:\n"
	for _, expr := range []string{
		`has(declaration.model.version) ? true : false`,
		`declaration.kind == "training" ? declaration.constraints.budget <= 1 : false`,
		"has(declaration.model.version)\n? true\n: false",
		"has(declaration.model.version) ? true\n: false",
		`"training" == declaration.kind`,
		`'training' == declaration.kind`,
		`[1, 2].exists(x, x > 1)`,
		`{'a': 1}.a == 1`,
		`declaration.kind in {'training': 1}`,
		`!has(declaration.model.version)`,
		`true`,
	} {
		rule := func(indent, style string) string {
			return "  - name: r\n    expr:" + style + indent + strings.ReplaceAll(expr, "\n", "\n      ") + "\n"
		}
		for name, text := range map[string]string{"one line": rule(" ", ""), "its own lines": rule("\n      ", ""), "flow": "  - {name: r, expr: " + strings.ReplaceAll(expr, "\n", "\n      ") + "}\n"} {
			p, err := Parse([]byte(head+text), options)
			if err == nil {
				t.Errorf("%s: accepted: %v\n%s", name, p.RuleNames(), text)
				continue
			}
			if found := problems(t, head+text, options); found[0].Hint == "" || !strings.Contains(found[0].Hint, "quote") {
				t.Errorf("%s: %s, hint %q\n%s", name, found[0], found[0].Hint, text)
			}
		}
		if _, err := Parse([]byte(head+rule("\n      ", " |")), options); err != nil {
			t.Errorf("behind |: %v", err)
		}
		if _, err := Parse([]byte(head+"  - name: r\n    expr: '"+strings.ReplaceAll(strings.ReplaceAll(expr, "'", "''"), "\n", "\n      ")+"'\n"), options); err != nil {
			t.Errorf("in quotes: %v", err)
		}
	}
	for _, text := range []string{"  - name: r\n    expr: |\n\ttrue\n", "  - name: r\n    expr: |\n      true &&\n\ttrue\n"} {
		if found := problems(t, head+text, options); found[0].Hint != "indent the lines with blanks" {
			t.Errorf("a tab: %s, hint %q", found[0], found[0].Hint)
		}
	}
	// a mistake elsewhere has another hint, or none
	if found := problems(t, "schema: a: b\n"+head, options); found[0].Hint == expressionHint {
		t.Errorf("%s, hint %q", found[0], found[0].Hint)
	}
}

// TestNullHints: a hint for null does not lead to another problem.
func TestNullHints(t *testing.T) {
	head := header(t, newSigner(t))
	for text, want := range map[string]string{
		"rules:\n  - name: r\n    expr:\n":               "write its value: expr is required",
		"rules:\n  - name: r\n    expr: ~\n":             "write its value: expr is required",
		"rules:\n  - name:\n    expr: 'true'\n":          "write its value: name is required",
		"rules:\n  -\n":                                  "write the element",
		"rules:\n":                                       "leave the member out",
		"kinds: [agent, null]\n":                         "write the element, or remove it",
		"approvals: {required: null, approvers: [{}]}\n": "write its value: required is required",
	} {
		if found := problems(t, head+text, Options{})[0]; found.Hint != want {
			t.Errorf("%s: %s, hint %q, want %q", text, found, found.Hint, want)
		}
	}
	if found := problems(t, head+"rules:\n  - name: r\n    expr:\n", Options{})[0]; !strings.Contains(found.Message, ": a key without a value is null in YAML") {
		t.Errorf("got %s", found)
	}
}
