package policy

import (
	"strconv"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

func ruleProblems(t *testing.T, head, expr string) string {
	t.Helper()
	_, err := Parse([]byte(head+"rules:\n  - name: a\n    expr: |\n      "+expr+"\n"), options)
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestLookAlikeInRules: a constant that is not what people read in it would forbid nothing. An escape is meant.
func TestLookAlikeInRules(t *testing.T) {
	head := header(t, newSigner(t))
	for expr, want := range map[string]string{
		`!(declaration.model.name in ["` + "\u0435" + `vil"])`:                          "column 37: /rules/0/expr: U+0435 stands in a word with letters of another script",
		`declaration.model.name != "gpt` + "\u2011" + `4"`:                              "U+2011 looks like -",
		`declaration.model.name != "gpt-4` + "\u043e" + `"`:                             "U+043E stands in a word",
		`!("maxT` + "\u043e" + `kens" in declaration.parameters)`:                       "U+043E stands in a word",
		`declaration.model.name != "cafe` + "\u0301" + `"`:                              "U+0301 is not in Unicode form NFC",
		`declaration.model.name != "gpt` + "\uff14" + `"`:                               "U+FF14 looks like 4",
		`declaration.model.name != "gpt` + "\u0338" + `"`:                               "is drawn over the letter",
		`declaration.model.name != "gpt` + "\u0664" + `"`:                               "is a digit of another script",
		`!declaration.model.name.startsWith(r'` + "\u0435" + `vil')`:                    "U+0435 stands in a word",
		`!declaration.model.name.matches(r"^(?:` + "\u0435" + `vil|x[яa]z)$")`:          "U+0435 stands in a word",
		`!declaration.model.name.matches(r"^[a` + "\u2013" + `z]$")`:                    "", // in brackets anything may stand
		`!declaration.model.name.matches("^(?:я|[а-яёa-z])+$")`:                         "",
		`!declaration.model.name.matches(r"\bмодель\d")`:                                "",
		`declaration.model.name != "\u0435vil"`:                                         "",
		`declaration.model.name != "gpt\u20114"`:                                        "",
		`declaration.model.name != "\nмодель"`:                                          "",
		`declaration.model.name != "модель" && declaration.model.version != "千问-7B"`:    "",
		`declaration.model.name != "рост"`:                                              "",
		`declaration.model.name != "evil" // gpt` + "\u2011" + `4, ` + "\u0435" + `vil`: "", // a comment
	} {
		got := ruleProblems(t, head, expr)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: want %q\n got %s", strconv.QuoteToASCII(expr), want, got)
		}
	}
	message := head + "rules:\n  - {name: a, expr: 'false', message: 'is {{declaration.model.name == \"\u0435vil\"}}'}\n"
	if p := problems(t, message, options); p[0].Code != "look-alike" {
		t.Errorf("in a message: %v", p)
	}
}

// TestLookAlikeNames: names that people compare by eye, of which two that look the same would be one person or one role.
func TestLookAlikeNames(t *testing.T) {
	head := header(t, newSigner(t))
	one, two := pemOf(t, newSigner(t)), pemOf(t, newSigner(t))
	people := func(a, b, roleA, roleB string) string {
		member := func(name, role, key string) string {
			if role != "" {
				role = "role: " + strconv.Quote(role) + ", "
			}
			return "{name: " + strconv.Quote(name) + ", " + role + "keys: [{key: " + key + "}]}"
		}
		return head + "approvals: {required: 1, approvers: [" + member(a, roleA, one) + ", " + member(b, roleB, two) + "]}\n"
	}
	for name, c := range map[string]struct {
		text string
		code identity.Code
	}{
		"a letter":        {people("alice", "\u0430lice", "", ""), "look-alike"},
		"a whole word":    {people("Capa", "\u0421\u0430\u0440\u0430", "", ""), "look-alike"},
		"digits":          {people("al", "a1", "", ""), "look-alike"},
		"not NFC":         {people("bob", "Zoe\u0308", "", ""), "look-alike"},
		"a hyphen":        {people("bob", "al\u2010ice", "", ""), "look-alike"},
		"a blank":         {people("alice", "alice ", "", ""), "invisible"},
		"a control":       {people("alice", "alice\a", "", ""), "invisible"},
		"not seen":        {people("alice", "alice\u200b", "", ""), "invisible"},
		"a role":          {people("alice", "bob", "l\u0435ad", ""), "look-alike"},
		"a role's word":   {people("alice", "bob", "ceo", "\u0441\u0435\u043e"), "look-alike"},
		"a role's demand": {strings.Replace(people("alice", "bob", "ceo", ""), "required: 1,", "required: 1, roles: {\u0441\u0435\u043e: 1},", 1), "look-alike"},
		"a signer":        {strings.Replace(head, "name: ci", "name: c\u0456", 1), "look-alike"},
		"an identity":     {head + "  certificates: [{identity: \u0430@b.c, issuer: i}]\n", "look-alike"},
		"an issuer":       {head + "  certificates: [{identity: a@b.c, issuer: 'https://\u0430ccounts.x'}]\n", "look-alike"},
		"a pattern":       {head + "  certificates: [{identityRegexp: '^\u0430lice@b.c$', issuer: i}]\n", "look-alike"},
		"right names":     {people("Сара", "李雷", "руководитель", "審査"), ""},
		"names and words": {people("José Müller", "Сара (HR)", "lead", "lead"), ""},
	} {
		_, err := Parse([]byte(c.text), options)
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: is taken", name)
		} else if p := problems(t, c.text, options); p[0].Code != c.code {
			t.Errorf("%s: %v", name, p)
		}
	}
}
