package policy

import (
	"strconv"
	"strings"
	"testing"
	"time"

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
		`!(declaration.model.name in ["` + "\u0435" + `vil"])`:                          "column 37: /rules/0/expr: U+0435 looks like e and is not, in a word with ASCII letters",
		`declaration.model.name != "gpt` + "\u2011" + `4"`:                              "U+2011 looks like -",
		`declaration.model.name != "gpt-4` + "\u043e" + `"`:                             "U+043E looks like o",
		`!("maxT` + "\u043e" + `kens" in declaration.parameters)`:                       "U+043E looks like o",
		`declaration.model.name != "cafe` + "\u0301" + `"`:                              "U+0301 is not in Unicode form NFC",
		`declaration.model.name != "gpt` + "\uff14" + `"`:                               "U+FF14 looks like 4",
		`declaration.model.name != "gpt` + "\u0338" + `"`:                               "is drawn over the letter",
		`declaration.model.name != "gpt-4` + "\u0664" + `"`:                             "stands in a number with digits of another script",
		`!declaration.model.name.startsWith(r'` + "\u0435" + `vil')`:                    "U+0435 looks like e",
		`!declaration.model.name.matches(r"^(?:` + "\u0435" + `vil|x[яa]z)$")`:          "U+0435 looks like e",
		`!declaration.model.name.matches(r"^[a` + "\u2013" + `z]$")`:                    "", // in brackets anything may stand
		`!declaration.model.name.matches("^(?:я|[а-яёa-z])+$")`:                         "",
		`!declaration.model.name.matches(r"\bмодель\d")`:                                "",
		`["[a-zа-я]+", "x"].exists(p, declaration.model.name.matches(p))`:               "",
		`declaration.model.name.matches(r"^[a-zа-я]" + r"+$")`:                          "",
		`["` + "\u0435" + `vil"].exists(p, declaration.model.name.matches(p))`:          "U+0435 looks like e",
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
		"an identity":     {head + "  certificates: [{identity: \u0430lice@b.c, issuer: 'https://i'}]\n", "look-alike"},
		"an issuer":       {head + "  certificates: [{identity: a@b.c, issuer: 'https://\u0430ccounts.x'}]\n", "look-alike"},
		"a pattern":       {head + "  certificates: [{identityRegexp: '^\u0430lice@b.c$', issuer: 'https://i'}]\n", "look-alike"},
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

// TestOrdinaryTexts: names and texts in other languages, which are what they look like.
func TestOrdinaryTexts(t *testing.T) {
	head := header(t, newSigner(t))
	texts := []string{
		"模型（测试）", "注意：", "50％", "Ｑ＆Ａ", "CO₂", "R²", "χ²", "π₀", "Mª José", "nº 5", "№ 5", "Claude™", "…", "第Ⅱ期", "①",
		"ทีมAI", "PDFफाइल", "הPDF", "كتابAI", "μTransfer", "5 μm", "kΩ", "ΔE", "GPT і Claude", "Claude с RAG", "ν-SVM", "审批人（法务）",
	}
	for _, s := range texts {
		if got := ruleProblems(t, head, `declaration.model.name != "`+s+`"`); got != "" {
			t.Errorf("in a rule: %s", got)
		}
	}
	key, other := pemOf(t, newSigner(t)), pemOf(t, newSigner(t))
	message := head + "rules:\n  - {name: a, expr: 'declaration.kind == \"agent\"', message: '{{ run.kind == \"agent\" ? \"拒绝：…\" : \"\" }}'}\n"
	all := []string{message}
	for _, s := range append(texts, "山田　太郎", "Anna\u00a0Maria") {
		quoted := `"` + s + `"`
		all = append(all, head+"approvals: {required: 1, roles: {"+quoted+": 1}, approvers: [{name: "+quoted+", role: "+quoted+", keys: [{name: "+quoted+", key: "+key+"}]}]}\n")
	}
	for _, text := range all {
		if _, err := Parse([]byte(text), options); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	for _, pair := range [][2]string{{"Arno", "Amo"}, {"Kern", "Kem"}} {
		text := head + "approvals: {required: 1, approvers: [{name: " + pair[0] + ", keys: [{key: " + key + "}]}, {name: " + pair[1] + ", keys: [{key: " + other + "}]}]}\n"
		p, err := Parse([]byte(text), options)
		if err != nil {
			t.Error(err)
		} else if found := p.Warnings(time.Now()); len(found) != 1 || found[0].Pointer != "/approvals/approvers/1/name" || !strings.Contains(found[0].Message, "in some fonts") {
			t.Errorf("%v: %v", pair, found)
		}
	}
}

// TestLookAlikeHints: what a name is refused for says what to write in its place.
func TestLookAlikeHints(t *testing.T) {
	head := header(t, newSigner(t))
	key := pemOf(t, newSigner(t))
	person := func(name string) string {
		return head + "approvals: {required: 1, approvers: [{name: \"" + name + "\", keys: [{key: " + key + "}]}]}\n"
	}
	for text, hint := range map[string]string{
		person("Anna\u2009Maria"): "write a blank",
		person("太郎　"):             "remove it",
		person("ali\u0441e"):      "write c, or the word in the letters of one script",
		head + "  certificates: [{identity: \u0430lice@b.c, issuer: 'https://i'}]\n":           `write identityRegexp in place of identity, with \x{430} for it`,
		head + "  certificates: [{identity: \"a\u00a0b\", issuer: 'https://i'}]\n":             `write identityRegexp in place of identity, with \x{A0} for it`,
		head + "  certificates: [{identityRegexp: '^\u0430lice@b.c$', issuer: 'https://i'}]\n": `write \x{430} for it`,
	} {
		if p := problems(t, text, options); !strings.Contains(p[0].Hint, hint) {
			t.Errorf("want %q, got %v", hint, p)
		}
	}
}

// TestProseInRules: a string that is compared with prose has dashes and signs that names have not. What is not seen in it, and letters
// that are not what they look like, are refused there as well.
func TestProseInRules(t *testing.T) {
	head := header(t, newSigner(t))
	const refused = "looks like"
	for expr, want := range map[string]string{
		`!declaration.prompt.text.contains("2020–2024")`:                                                            "",
		`declaration.prompt.messages.all(m, !m.content.contains("2020–2024"))`:                                      "",
		`["2020–2024", "x"].all(w, !declaration.prompt.text.lowerAscii().contains(w))`:                              "",
		`declaration.context.all(r, !string(r.content).contains("ＧＰＴ 2020–2024"))`:                                  "",
		`json(declaration.prompt).contains("𝐚𝐛")`:                                                                   "",
		`!declaration.prompt.text.contains("\U0001FAE9")`:                                                           "",
		`!declaration.prompt.text.contains("a` + "\ue000" + `")`:                                                    "",
		`declaration.model.name != "` + "\U0001fae9" + `"`:                                                          "",
		`declaration.model.name != "2020–2024"`:                                                                     refused,
		`declaration.prompt.messages.all(m, m.role != "2020–2024")`:                                                 refused,
		`["2020–2024"].all(w, !declaration.prompt.text.contains(w) && declaration.model.name != w)`:                 refused,
		`declaration.parameters.?stop.orValue("") != "2020–2024"`:                                                   refused,
		`"2020–2024".size() > 1`:                                                                                    refused,
		`!declaration.prompt.text.contains("` + "\u0435" + `vil")`:                                                  refused,
		`!declaration.prompt.text.contains("` + "\ufb01" + `ne")`:                                                   refused,
		`!declaration.prompt.text.contains("a` + "\u00a0" + `b")`:                                                   refused,
		`!declaration.prompt.text.contains("cafe` + "\u0301" + `")`:                                                 "not in Unicode form NFC",
		`!declaration.prompt.text.contains("a` + "\u200b" + `b")`:                                                   "is not seen",
		`declaration.model.name != "` + "\u0435" + `vil" && declaration.model.version != "` + "\u0440\u0430" + `y"`: "(and 1 more)", // both at once
	} {
		got := ruleProblems(t, head, expr)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: want %q\n got %s", strconv.QuoteToASCII(expr), want, got)
		}
	}
	message := head + "rules:\n  - {name: a, expr: 'false', message: 'is {{declaration.kind == \"agent\" ? \"2020–2024\" : \"\"}}'}\n"
	if _, err := Parse([]byte(message), options); err != nil {
		t.Errorf("in a message: %v", err)
	}
}

// TestHintsAreFollowedOnce: an edit that a hint gives is the last one that the word needs.
func TestHintsAreFollowedOnce(t *testing.T) {
	head := header(t, newSigner(t))
	for _, c := range [][3]string{
		{"Сара", `\u0421\u0430\u0440\u0430`, ""}, {"раураl", `\u0440\u0430\u0443\u0440\u0430`, "l"}, {"PDFфайл", `\u0444\u0430\u0439\u043B`, ""}, {"a\u200bb\u200cc", `\u200B and \u200C`, ""},
	} {
		text := func(s string) []byte {
			return []byte(head + "rules:\n  - name: a\n    expr: |\n      declaration.model.name != \"" + s + "\"\n")
		}
		p, err := Parse(text(c[0]), options)
		var found string
		if err == nil {
			found = p.Warnings(time.Now())[0].Hint
		} else {
			found = problems(t, string(text(c[0])), options)[0].Hint
		}
		if !strings.Contains(found, "write "+c[1]+" in the string") {
			t.Errorf("%s: want %s, got %s", c[0], c[1], found)
		}
		if strings.Contains(c[1], " and ") {
			continue
		}
		p, err = Parse(text(c[1]+c[2]), options)
		if err != nil || len(p.Warnings(time.Now())) > 0 {
			t.Errorf("%s, as the hint says: %v", c[0], err)
		}
	}
}
