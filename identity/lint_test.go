package identity_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/vectors"
)

// clean has nothing to warn of.
const clean = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference",` +
	`"model":{"name":"m","version":"1"},"prompt":{"text":"hi"},` +
	`"parameters":{"temperature":0.7,"maxTokens":10,"seed":1},"context":[],"constraints":{}}`

func TestLint(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     []string // code and pointer
	}{
		"clean":                 {"", "", nil},
		"no version, no digest": {`,"version":"1"`, ``, []string{"volatile /model"}},
		"latest":                {`"version":"1"`, `"version":"latest"`, []string{"volatile /model/version"}},
		"branch in a URI":       {`"version":"1"`, `"version":"1","uri":"https://example.com/repo/tree/main"`, []string{"volatile /model/uri"}},
		"pinned by digest":      {`"version":"1"`, `"version":"latest","digest":{"sha256":"` + strings.Repeat("a", 64) + `"}`, nil},
		"resource by URI alone": {`"context":[]`, `"context":[{"role":"image","name":"i","uri":"oci://r/i:latest"}]`, []string{"volatile /context/0", "volatile /context/0/uri"}},
		"no temperature":        {`"temperature":0.7,`, ``, []string{"open-default /parameters"}},
		"greedy needs no seed":  {`"temperature":0.7,"maxTokens":10,"seed":1`, `"temperature":0,"max_new_tokens":10`, nil},
		"vLLM's 16 tokens":      {`"maxTokens":10,`, ``, []string{"open-default /parameters"}},
		"execution facts":       {`"constraints":{}`, `"constraints":{"x":[{"trace_id":"1"}],"startedAt":"t"}`, []string{"execution-fact /constraints/startedAt", "execution-fact /constraints/x/0/trace_id"}},
		"NFD":                   {`"hi"`, `"e\u0301"`, []string{"not-nfc /prompt/text"}},
		"bidi":                  {`"hi"`, `"a\u202eb"`, []string{"bidi /prompt/text"}},
		"zero width":            {`"hi"`, `"a\u200bb"`, []string{"invisible /prompt/text"}},
		"noncharacter":          {`"hi"`, `"a\uffffb"`, []string{"invisible /prompt/text"}},
		"emoji with joiner":     {`"hi"`, "\"👩\u200d💻\"", nil},
		"look-alike name":       {`"name":"m"`, `"name":"ll\u0430ma"`, []string{"look-alike /model/name"}},
		"look-alike key":        {`"seed":1`, `"seed":1,"s\u0435ed":2`, []string{"look-alike /parameters/s\u0435ed"}},
		"Russian prose":         {`"hi"`, `"привет llama"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			data := strings.Replace(clean, c.old, c.new, 1)
			problems := identity.Lint([]byte(data))
			var got []string
			for _, p := range problems {
				if p.Severity != identity.Warning || p.Line != 1 || p.Column == 0 {
					t.Errorf("%+v: want a warning with its place", p)
				}
				got = append(got, string(p.Code)+" "+p.Pointer)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			fromYAML := identity.LintYAML([]byte(data)) // JSON is YAML, too
			if len(fromYAML) != len(problems) {
				t.Errorf("as YAML: %v", fromYAML)
			}
		})
	}
}

func TestLintOfInvalid(t *testing.T) {
	problems := identity.Lint([]byte(`{`))
	if len(problems) != 1 || problems[0].Severity != identity.Error {
		t.Errorf("got %+v", problems)
	}
}

// TestDeclarationsLintWithoutErrors runs lint over the real declarations.
func TestDeclarationsLintWithoutErrors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors.Root(t), "declarations", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range identity.Lint(data) {
			if p.Severity == identity.Error {
				t.Errorf("%s: %s", filepath.Base(file), p)
			}
		}
	}
}
