package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
)

// TestOtherKind: a text of another kind is called that, in one problem, and what is meant as a policy or cases keeps its problems.
func TestOtherKind(t *testing.T) {
	const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"
	const declaration = "schema: " + identity.Schema + "\nkind: other\n"
	for _, c := range []struct{ text, policy, cases string }{
		{key, "it is a private key and no policy", "it is a private key and no cases"},
		{declaration, "it is a declaration and no policy", "it is a declaration and no cases"},
		{"<html></html>", "it is a web page, or XML and no policy", "it is a web page, or XML and no cases"},
		{"schema: " + Schema + "\n", "", "it is a policy and no cases"},
		{"schema: " + CasesSchema + "\n", "it is cases of a policy and no policy", ""},
		{declaration + "signers: []\ncases: []\n", "", ""},
		{"some: text\n", "not a policy: it looks like another kind of file, with the members some", "not a cases file: it looks like another kind of file, with the members some"},
		{
			"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n",
			"not a policy: it looks like a Kubernetes object (apiVersion, kind)", "not a cases file: it looks like a Kubernetes object (apiVersion, kind)",
		},
		{
			`{"model": "gpt-4o", "messages": [], "temperature": 0}`,
			"not a policy: it looks like a request to a model API (model, messages)", "not a cases file: it looks like a request to a model API (model, messages)",
		},
		{"rules:\n- {name: a, expr: 'true'}\n", "not a policy: it looks like another kind of file, with the members rules", "not a cases file: it looks like another kind of file, with the members rules"},
		{"schema: runattest/policy/v1\nsigner: {}\n", "", "not a cases file: it looks like another kind of file, with the members schema, signer"},
		{"schema: runattest/policy-cases/v1\n", "not a policy: it looks like another kind of file, with the members schema", ""},
		{"s\x00o\x00m\x00e\x00", "", ""}, // the problem says how to convert it
		{" \n", "it is a file of blanks and no policy", "it is a file of blanks and no cases"},
	} {
		path := filepath.Join(t.TempDir(), "p.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var cases *InvalidError
		if _, err := LoadCases(path, Options{}); !errors.As(err, &cases) {
			t.Fatalf("%q: %v", c.text, err)
		}
		checkKind(t, problems(t, c.text, Options{}), c.policy, kinds["policy"].hint)
		checkKind(t, cases.Problems, c.cases, kinds["cases"].hint)
	}
}

// checkKind wants the one problem with that message and hint, or with an empty message any others.
func checkKind(t *testing.T, got []identity.Problem, message, hint string) {
	t.Helper()
	isKind := strings.Contains(got[0].Message, " and no ") || strings.HasPrefix(got[0].Message, "not a ")
	if isKind != (message != "") || isKind && (len(got) != 1 || got[0].Message != message || got[0].Hint != hint) {
		t.Errorf("%v, want %q", got, message)
	}
}

// TestOtherKindTooLarge: what is too large is that alone, of whichever kind it is: work has a bound.
func TestOtherKindTooLarge(t *testing.T) {
	for _, start := range []string{"-----BEGIN PRIVATE KEY-----\n", `{"a": "` + identity.Schema + `"`, "<html>", " "} {
		text := start + strings.Repeat("\n", limits.Policy)
		if got := problems(t, text, Options{}); len(got) != 1 || got[0].Code != "size" || got[0].Message != "larger than 1 MiB" {
			t.Errorf("%q: %v", start, got)
		}
	}
}
