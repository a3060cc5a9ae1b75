package policy

import (
	"path/filepath"
	"testing"
)

// TestExamples asks every ready policy about its cases.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/policies/*/cases.yaml")
	if err != nil || len(files) < 13 {
		t.Fatalf("%d of 13 policies, %v", len(files), err)
	}
	for _, file := range files {
		cases, err := LoadCases(file)
		if err != nil {
			t.Error(err)
			continue
		}
		results, err := cases.Run(ctx)
		if err != nil || len(results) < 3 {
			t.Errorf("%s: %d cases, %v", file, len(results), err)
		}
		denied := map[string]bool{}
		for _, r := range results {
			if !r.Passed {
				t.Errorf("%s: %s: %s", file, r.Name, r.Problem)
				continue
			}
			for _, d := range append(r.Decision.Denials, r.Decision.Warnings...) {
				denied[d.Rule] = true
			}
		}
		for _, name := range cases.policy.RuleNames() {
			if !denied[name] && name != "few-parents" {
				t.Errorf("%s: no case denies by %s", file, name)
			}
		}
	}
}
