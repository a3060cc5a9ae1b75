package policy

import (
	"strings"
	"testing"
)

// TestPatterns: a regular expression of which a string makes another one is refused, since what it forbids would be allowed.
func TestPatterns(t *testing.T) {
	head := header(t, newSigner(t)) + "rules:\n  - name: r\n    expr: "
	const backspace, question = "/rules/0/expr: the pattern holds a backspace, and no word boundary", "/rules/0/expr: the pattern holds ?, which repeats"
	for name, c := range map[string]struct{ expr, want string }{
		"word boundary":            {`'!declaration.prompt.text.matches("\bsecret\b")'`, backspace},
		"in plain":                 {`declaration.prompt.text.matches("\bsecret")`, backspace},
		"in double quotes":         {`"declaration.prompt.text.matches(r'\bsecret')"`, backspace},
		"in a block":               {"|\n      true &&\n      !declaration.prompt.text.matches('''\\bsecret''')", backspace},
		"of a macro":               {`'declaration.context.all(c, !c.name.matches("\bx"))'`, backspace},
		"as digits":                {`'declaration.prompt.text.matches("\x08secret")'`, backspace},
		"question mark":            {`'declaration.prompt.text.matches("^https://x/\?q")'`, question},
		"behind others":            {`'declaration.kind == "é" || declaration.prompt.text.matches("\\.\?")'`, question},
		"raw":                      {`'!declaration.prompt.text.matches(r"\bsecret\b\?")'`, ""},
		"raw, upper case":          {`'!declaration.prompt.text.matches(R"\?")'`, ""},
		"escaped":                  {`'!declaration.prompt.text.matches("\\bsecret\\b\\?\\\\?")'`, ""},
		"escaped in double quotes": {`"!declaration.prompt.text.matches('\\\\bsecret')"`, ""},
		"another string":           {`'declaration.prompt.text != "\b\?"'`, ""},
		"computed":                 {`'declaration.prompt.text.matches(declaration.kind)'`, ""},
	} {
		text := head + c.expr + "\n"
		if c.want == "" {
			if _, err := Parse([]byte(text), options); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if p, err := Parse([]byte(text), options); err == nil {
			t.Errorf("%s: accepted: %v", name, p.RuleNames())
			continue
		}
		if found := problems(t, text, options)[0]; !strings.Contains(found.String(), c.want) || found.Hint == "" || found.Line < 8 {
			t.Errorf("%s: got %s, want %s", name, found, c.want)
		}
	}
}
