package rules

import (
	"strings"
	"testing"
)

// TestCELHints: what CEL says of an expression comes with what to write instead.
func TestCELHints(t *testing.T) {
	for expr, want := range map[string]string{
		`declaration.kind == 3`:                                  "write a number without quotes, or convert",
		`declaration.prompt.size == 0.5`:                         "convert one of them: double(x)",
		`3.0 + 1 == 4`:                                           "convert one of them: double(x)",
		`now - 3 > now`:                                          `write duration("90s")`,
		`now - now > 3`:                                          `write duration("90s")`,
		`now > "2026-01-01"`:                                     `write timestamp("`,
		`!declaration.kind`:                                      "compare first",
		`declaration.kind && true`:                               "compare first",
		`declaration.kind`:                                       "compare first",
		`declaration.context.filter(c, true)`:                    "write list.exists(x, condition)",
		`1 < 2 < 3`:                                              "join conditions with &&",
		`declaration.kind.contains(3)`:                           "want string.contains(string)",
		`size(3) == 1`:                                           "string.size()",
		`"a" in declaration.kind`:                                `text.contains("part")`,
		`declaration.parents + 1 == []`:                          "write list + [x]",
		`declaration.parents == "a"`:                             "look at the elements",
		`-declaration.kind == 1`:                                 "- wants a number",
		`true ? 1 : "a"`:                                         "a and b of one type",
		`declaration["kind"] == "a"`:                             "write object.member",
		`declaration.kind == null`:                               "ask has(",
		`declaration.model == declaration.kind`:                  "json(x)",
		`declaration.kind == training`:                           `write text in quotes, "training"`,
		`len(declaration.kind) == 1`:                             "write size(x)",
		`declaration.kind.lower() == "a"`:                        "lowerAscii()",
		`declaration.context.any(c, true)`:                       "list.exists",
		`declaration.kind.lowerAscci() == ""`:                    "did you mean lowerAscii?",
		`signers.name == "ci"`:                                   "write signer.name",
		`signers.exists(s, s.name == "x")`:                       "write signer.name",
		`declaration.run.id == "x"`:                              "write run.id",
		`declaration.id == "x"`:                                  "write run.id",
		`declaration.kind matches "y"`:                           "text.matches(r",
		`declaration.kind == "x" ? true`:                         "write condition ? a : b",
		`return declaration.kind == "x"`:                         "leave return out",
		`Declaration.kind == "x"`:                                "write declaration, in small letters",
		`declaration.modle.name == ""`:                           "did you mean model",
		`declaration.temperature < 1`:                            "declaration.parameters.temperature",
		`foo(1)`:                                                 "the functions are bool, bytes",
		`True`:                                                   "write true",
		`declaration.kind = "a"`:                                 "write ==",
		`true & false`:                                           "and is &&",
		`declaration.kind == "and" and true`:                     "and is &&",
		`"a" not in ["b"]`:                                       "and is &&",
		`declaration.kind <> "a"`:                                "unequal is !=",
		`declaration.context.exists(c -> true)`:                  "with a comma",
		`declaration?.kind == ""`:                                "object.?member",
		`declaration.kind ?? "a" == "b"`:                         "object.?member",
		`if (true) true`:                                         "condition ? a : b",
		`true; false`:                                            "without a semicolon",
		`declaration.kind == "a`:                                 "close the string",
		`declaration.kind == “a”`:                                "straight quotes",
		`size(declaration.context) in [0.0]`:                     "convert one of them",
		`declaration.context.size() => 3`:                        "at least is >=",
		`declaration.kind => true`:                               "if a, then b, is !a || b",
		`declaration.context.size == 1`:                          "write size(x)",
		`declaration.kind !== "x"`:                               "unequal is !=",
		`declaration.kind !~ "x"`:                                "write !text.matches(",
		`declaration.kind ~= "x"`:                                "write text.matches(",
		"has(declaration.parameters.maxT\u043ekens)":             "U+043E is not one of the letters a to z",
		`declaration.kind ≠ "x"`:                                 "write !=",
		`declaration.parameters.x ≤ 1`:                           "write <=",
		`declaration.kind like "x%"`:                             "write text.matches(",
		`declaration.kind is "x"`:                                "is it equal? write ==",
		`declaration.kind in ("a", "b")`:                         "write x in [a, b]",
		`declaration.kind in {"a", "b"}`:                         "write x in [a, b]",
		`declaration.kind[0:2] == "tr"`:                          `text.startsWith("...")`,
		`2 ^ 3 == 8`:                                             "powers have no operator",
		`declaration.model.digest.sha-256 == 1`:                  "write sha256",
		`signer.name-x == 1`:                                     `declaration.parameters["name-x"]`,
		`declaration.kind =~ "tr"`:                               "text.matches",
		`declaration.context.exists(c => true)`:                  "with a comma",
		`declaration.parameters.max-tokens > 1`:                  `declaration.parameters["max-tokens"]`,
		`declaration.parameters.имя == "x"`:                      `are written ["имя"], not .имя`,
		`declaration.parameters.größe > 1`:                       `are written ["größe"], not .größe`,
		`declaration.parameters["имя"].год_2 == "x"`:             `are written ["год_2"], not .год_2`,
		"declaration.kind\u00a0== \"a\"":                         "write a blank",
		`declaration.model.name.length > 3`:                      "write size(x)",
		`3 % 2.0 == 1.0`:                                         "whole numbers",
		`now > timestamp("2020-01-01")`:                          "T12:00:00Z",
		`now - now > duration("7d")`:                             "a day is 24h",
		`signer.name == ["ci", "cd"]`:                            "write x in [a, b]",
		`has(declaration.parameters, "n")`:                       `or "name" in object`,
		`run.parents.isEmpty()`:                                  "size(x) == 0",
		`declaration.model.name.substring(0, 2) == "x"`:          "text.startsWith",
		`declaration.model.name matches "x"`:                     "a dot before it",
		`declaration.context[*].name == "x"`:                     "list.exists(x, x.name",
		`declaration.context.map(c, c.name).contains("x")`:       "write x in list",
		`annotations.contains("ticket")`:                         "name in object",
		`declaration.context.name == "x"`:                        "look at the elements",
		`declaration.messages.size() > 0`:                        "write declaration.prompt.messages",
		`signer in ["ci"]`:                                       "compare a member of it",
		`declaration.model.sha256 == "x"`:                        "write digest.sha256",
		`now.hour < 18`:                                          "getHours()",
		`now - time.earliest < 24h`:                              `write duration("`,
		`has(annotations["ticket"])`:                             `or "name" in object`,
		`declaration.kind != "training" -> approvals.size() > 0`: "!a || b",
		`declaration->kind == "x"`:                               "behind a dot",
		`declaration.kind.equals("x")`:                           "write a == b",
		`true == "true"`:                                         "without quotes",
		`declaration.parameters.seed != None`:                    "write has(object.member)",
		`declaration.parameters."top-p" < 1`:                     `write object["name"]`,
		`declaration.parameters[top-p] < 1`:                      `write ["top-p"]`,
		`declaration.parameters.n =< 3`:                          "at most is <=",
		`declaration.parameters.n between 0 and 1`:               "a <= x && x <= b",
		`declaration.model.name.matches("\d+")`:                  `write a raw string, r"..."`,
		`ctx.kind == "x"`:                                        "the variables are ancestors",
		`run.model == "x"`:                                       "write declaration.model",
		`run.identity == "x"`:                                    "write run.id",
		`approvals[0].name == "alice"`:                           "write approver",
		`approvals.all(a, a.decison == "approved")`:              "did you mean decision?",
		`ancestors.all(a, a.model == "x")`:                       "its members are approvals, approved, declaredBy, id, kind, parents, signers",
		`ancestors.all(a, a.signers.exists(s, s.email == "x"))`:  "write name: ",
		`time.signed < now`:                                      "write time.earliest",
		`time.now < now`:                                         "write now",
		`signer.email == "x"`:                                    "write name: ",
		`declaration.context.exists(c, c.digest.md5 == "x")`:     "its members are sha256, sha384, sha512",
		`declaration.model.components[0].rol == "x"`:             "did you mean role?",
		`declaration.model.size == 0`:                            "its members are components, digest, name, provider, uri, version",
		`now < 2026-01-01`:                                       `write timestamp("2026-01-01T00:00:00Z")`,
		`input.declaration.kind == "x"`:                          "the variables stand alone",
		`regex.match("a", declaration.kind)`:                     "write text.matches(",
		`math.max(1,2) == 2`:                                     "a > b ? a : b",
		`declaration.kind == "x" /* c */`:                        "a comment begins with //",
		`declaration.parameters.n < 1_000`:                       "without _",
		`declaration.parameters.n < 5%`:                          "% is the remainder",
		`declaration.parameters.n < 5% && true`:                  "% is the remainder",
		`declaration.context.exists(c: c.name == "x")`:           "with a comma",
		`declaration.kind == "x" # comment`:                      "a comment begins with //",
		"declaration.kind == `x`":                                "write text in double quotes",
		`declaration.prompt.text.matches(r"\d" )
      && declaration.constraints.x + now < 1`: `duration("90s")`,
	} {
		var r Rule
		if found := r.ReadCondition(Source{Text: expr})(); len(found) == 0 || !strings.Contains(found[0].Hint, want) {
			t.Errorf("%s: got %+v\nwant hint %q", expr, found, want)
		}
	}
}

// TestSliceHint: only a part that is taken out of a text or a list is one.
func TestSliceHint(t *testing.T) {
	for expr, want := range map[string]bool{
		`declaration.kind[0:2] == "tr" &&`:                              true,
		`declaration.parameters.list[true ? 1 : 2] == 1 &&`:             false,
		`declaration.parameters.list == [{"a": 1}] &&`:                  false,
		`declaration.parameters.list[size("a") > 0 ? 1 : 2] == true ||`: false,
	} {
		var r Rule
		found := r.ReadCondition(Source{Text: expr})()
		if len(found) == 0 || strings.Contains(found[0].Hint, "is not taken out") != want {
			t.Errorf("%s: %+v", expr, found)
		}
	}
}

// TestNoHint: the variable of a macro that is not there is no text that lacks its quotes.
func TestNoHint(t *testing.T) {
	var r Rule
	for _, p := range r.ReadCondition(Source{Text: `declaration.context.any(c, c.name == "x")`})() {
		if strings.Contains(p.Hint, "in quotes") {
			t.Errorf("%+v", p)
		}
	}
}
