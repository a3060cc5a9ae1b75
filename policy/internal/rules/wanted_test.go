package rules

import (
	"strings"
	"testing"
)

// TestWanted: the parts of the declaration that an expression looks at.
func TestWanted(t *testing.T) {
	read := func(condition, message string) *Set {
		var s Set
		s.Add(ruleOf(t, condition, message))
		return &s
	}
	for expr, want := range map[string]string{
		"true":                                                                     "",
		"run.kind == 'training'":                                                   "",
		"declaration.kind == 'training'":                                           "kind",
		".declaration.kind == 'training'":                                          "kind",
		"has(declaration.model.digest)":                                            "model.digest",
		"declaration.constraints.budget.usd <= 1":                                  "constraints.budget.usd",
		"declaration.constraints.?budget.?usd.orValue(1) == 1":                     "constraints.budget.usd",
		"declaration.constraints['budget'].usd <= 1":                               "constraints",
		"declaration.constraints[declaration.kind] == 1":                           "constraints kind",
		"declaration.context.all(c, c.role == declaration.model.name)":             "context model.name",
		"declaration.context[0].name == ''":                                        "context",
		"json(declaration).size() < 9":                                             "*",
		"dyn(declaration)['kind'] == ''":                                           "*",
		"[declaration].all(d, d.kind == 'agent')":                                  "*",
		"declaration == declaration || declaration.kind == 'agent'":                "* kind",
		"[1].all(declaration, declaration > 0)":                                    "*", // its own variable, which is not told apart
		"(run.kind == 'agent' ? declaration.model : declaration.model).name == ''": "model",
	} {
		if got := strings.Join(read(expr, "").wants.paths(""), " "); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
	if got := strings.Join(read("false", "uses {{declaration.model.name}}").wants.paths(""), " "); got != "model.name" {
		t.Errorf("a message: %q", got)
	}
}

func (w *wanted) paths(at string) []string {
	var all []string
	if w.all {
		all = append(all, strings.TrimPrefix(at, ".")+strings.Repeat("*", max(0, 1-len(at))))
	}
	for _, name := range []string{"constraints", "budget", "usd", "context", "kind", "model", "digest", "name"} {
		if part := w.members[name]; part != nil {
			all = append(all, part.paths(at+"."+name)...)
		}
	}
	return all
}
