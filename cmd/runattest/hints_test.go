package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
)

// TestHints: every hint that has a constant has the command's own words.
func TestHints(t *testing.T) {
	found := 0
	for _, file := range []string{"attest/evidence/hint.go", "registry/internal/remote/hints.go", "lineage/link_verify.go", "attest/recapture/recapture.go", "policy/policy.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", filepath.FromSlash(file)), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "Hint") {
				return true
			}
			found++
			text := evidence.Hint(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
			if own := (&output{}).phrased(text); own == text {
				t.Errorf("%s: %s is not phrased", file, spec.Names[0].Name)
			}
			return true
		})
	}
	byPolicies := 0
	for text := range hints {
		own := hintsByPolicy[text]
		if own != "" {
			byPolicies++
		}
		if strings.Contains(string(own), "--key") || strings.Contains(string(own), "--trusted-root") || strings.Contains(string(own), "--certificate") {
			t.Errorf("%s: a command with a policy has no such flag: %s", text, own)
		}
	}
	if byPolicies < 8 {
		t.Errorf("%d hints name the policy", byPolicies)
	}
	if found != len(hints) {
		t.Errorf("%d hints have a constant, and %d are phrased", found, len(hints))
	}
}

// TestLargeDeclarationHint: what is to do about a declaration that is larger than one may be.
func TestLargeDeclarationHint(t *testing.T) {
	err := fmt.Errorf("lint: %w", boundedfile.TooLarge("run.json", limits.Declaration))
	if hint := (&output{}).hintOf(err); !strings.Contains(hint, "by digest") || !errors.Is(err, boundedfile.ErrInput) {
		t.Errorf("%v: %q", err, hint)
	}
	if hint := (&output{}).hintOf(boundedfile.TooLarge("policy.yaml", limits.Policy)); hint != "" {
		t.Errorf("a policy: %q", hint)
	}
}
