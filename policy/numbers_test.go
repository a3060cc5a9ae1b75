package policy

import (
	"os"
	"strings"
	"testing"
)

// TestNumbers: what the documentation says of numbers.
func TestNumbers(t *testing.T) {
	page, err := os.ReadFile("../docs/governance.md")
	if err != nil {
		t.Fatal(err)
	}
	by := newSigner(t)
	for _, expr := range []string{"declaration.parameters.temperature == 0.0", "5 < 5.5", "dyn(0) == 0.0"} {
		if !strings.Contains(string(page), "`"+expr+"`") {
			t.Errorf("%s is not in docs/governance.md", expr)
		}
		if d := decide(t, policyOf(t, by, "rules:\n  - {name: r, expr: '"+expr+"'}\n"), declarationText, by); !d.Allowed {
			t.Errorf("%s: %s", expr, told(d))
		}
	}
	if p, err := Parse([]byte(header(t, by)+"rules:\n  - {name: r, expr: '0 == 0.0'}\n"), options); err == nil {
		t.Errorf("0 == 0.0 type-checks: %v", p.RuleNames())
	}
	policyOf(t, by, "rules:\n  - {name: r, expr: 'declaration.prompt.size == 0'}\n")
}
