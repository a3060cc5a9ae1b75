package policy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/runattest/runattest/sigstore"
)

// TestExamples asks every ready policy about its cases.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/policies/*/cases.yaml")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d of 14 policies, %v", len(files), err)
	}
	for _, file := range files {
		cases, err := LoadCases(file, options)
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
			if !denied[name] {
				t.Errorf("%s: no case denies by %s", file, name)
			}
		}
	}
}

// TestExamplesCanFail changes one thing in one rule of a ready policy: a case notices.
func TestExamplesCanFail(t *testing.T) {
	files, err := filepath.Glob("../examples/policies/*/policy.yaml")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d of 14 policies, %v", len(files), err)
	}
	changed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for _, r := range doc["rules"].([]any) {
			rule := r.(map[string]any)
			expr := rule["expr"].(string)
			for _, other := range otherwise(expr) {
				rule["expr"] = other
				data, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				p, err := Parse(data, Options{TrustedRoots: sigstore.Authorities, Dir: filepath.Dir(file)})
				if err != nil {
					continue // not an expression
				}
				changed++
				if !noticed(t, file, p) {
					t.Errorf("%s: %s: no case notices\n%s\ninstead of\n%s", file, rule["name"], other, expr)
				}
			}
			rule["expr"] = expr
		}
	}
	if changed < 100 {
		t.Fatalf("only %d changes", changed)
	}
}

// otherwise are expressions that are not what is meant.
func otherwise(expr string) []string {
	all := []string{"true", "false", fmt.Sprintf("!(%s)", expr)}
	for _, pair := range [][2]string{{"&&", "||"}, {"||", "&&"}, {"==", "!="}, {"!=", "=="}, {"<=", ">"}, {">=", "<"}, {"!has", "has"}, {".all(", ".exists("}, {".exists(", ".all("}} {
		for i := range expr {
			if after, ok := strings.CutPrefix(expr[i:], pair[0]); ok {
				all = append(all, expr[:i]+pair[1]+after)
			}
		}
	}
	return all
}

// noticed says whether a case has another answer than expected.
func noticed(t *testing.T, file string, p *Policy) bool {
	t.Helper()
	cases, err := LoadCases(filepath.Join(filepath.Dir(file), "cases.yaml"), options)
	if err != nil {
		t.Fatal(err)
	}
	cases.policy = p
	results, err := cases.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.Passed {
			return true
		}
	}
	return false
}
