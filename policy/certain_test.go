package policy

import (
	"strings"
	"testing"
)

// TestNeverMet: rules that no run meets, whatever it is, and constants that no member has.
func TestNeverMet(t *testing.T) {
	head := header(t, newSigner(t)) + "approvals: {required: 0, approvers: [{name: alice, keys: [{key: " + pemOf(t, newSigner(t)) + "}]}]}\n"
	const never, twice, expired = "is false whatever the run is", "that it is two things at once", "demands an approval that has expired"
	hex := strings.Repeat("0a", 32)
	for expr, want := range map[string]string{
		`declaration.kind == "training" ? false : false`:                                                 never,
		`declaration.kind == "training" && 1 < 0`:                                                        never,
		`declaration.model.name == "m" && !(size("a") == 1)`:                                             never,
		`signer.name == "ci" ? false : false`:                                                            never,
		`has(declaration.kind) ? false : true`:                                                           never,
		`!has(declaration.model.name) && declaration.kind == "agent"`:                                    never,
		`declaration.context.exists(c, c.name == "a" && false)`:                                          never,
		`(declaration.kind == "agent") == true && 2 > 3`:                                                 never,
		`approvals.exists(a, a.expires < now)`:                                                           expired,
		`approvals.exists(a, a.approver == "alice" && now >= a.expires)`:                                 expired,
		`approvals.all(a, a.expires < now)`:                                                              "",
		`approvals.exists(a, a.expires > now)`:                                                           "",
		`declaration.model.name == "a" && declaration.model.name == "b"`:                                 twice,
		`declaration.model.name in ["a", "b"] && declaration.model.name == "c"`:                          twice,
		`declaration.model.name == "a" && declaration.model.name != "a"`:                                 twice,
		`declaration.model.name == "a" && !(declaration.model.name == "a")`:                              twice,
		`declaration.context.exists(c, c.name == "a" && c.role == "tool" && c.name == "b")`:              twice,
		`declaration.context.exists(c, c.name == "a") && declaration.context.exists(c, c.name == "b")`:   "",
		`declaration.model.name == "a" || declaration.model.name == "b"`:                                 "",
		`declaration.model.name in ["a", "b"] && declaration.model.name != "b"`:                          "",
		`declaration.parameters.x == 1 && declaration.parameters.x == 2`:                                 twice,
		`declaration.parameters.x == 1 && declaration.parameters.x == 1.0`:                               "",
		`declaration.parameters.x in [1, 2] && declaration.parameters.x == 0.5`:                          twice,
		`declaration.parameters.x == 9007199254740992 && declaration.parameters.x == 9007199254740992.0`: "",
		`run.kind in [] && declaration.kind == "agent"`:                                                  "demands of run.kind that it is in an empty list",
		`declaration.parameters.x == "a" && declaration.parameters.y == "b"`:                             "",
		`now.getDayOfWeek() != 7`:                                                                        "getDayOfWeek() is never 7",
		`!(now.getMonth() in [10, 11, 12])`:                                                              "getMonth() is never 12",
		`now.getDayOfMonth("+01:00") == 31`:                                                              "getDayOfMonth() is never 31",
		`24 != now.getHours("UTC")`:                                                                      "getHours() is never 24",
		`!(now.getDayOfWeek() > 6)`:                                                                      "getDayOfWeek() is never more than 6",
		`12 <= now.getMonth()`:                                                                           "getMonth() is never at least 12",
		`now.getDate() < 1`:                                                                              "getDate() is never less than 1",
		`now.getDayOfWeek() >= 6 && now.getMonth() < 1`:                                                  "",
		`(now - timestamp("2026-01-31T12:00:00Z")).getHours() > 30`:                                      "",
		`declaration.model.digest == null`:                                                               "declaration.model.digest is never null",
		`null != declaration.parameters.x`:                                                               "declaration.parameters.x is never null",
		`declaration.context.all(c, c.content != null)`:                                                  "c.content is never null",
		`declaration.parameters.?x.orValue(null) == null`:                                                "",
		`now.getHours() < 24 && now.getDate() != 31`:                                                     "",
		`(now - timestamp("2026-01-31T12:00:00Z")).getHours() != 24`:                                     "",
		`declaration.prompt.messages[-1] == {"a": "b"}`:                                                  "a list has no element -1",
		`run.parents[0] == "airun:1:sha256:` + hex + `"`:                                                 "",
		`declaration.schema == "v1"`:                                                                     `compares schema with "v1", which it never is`,
		`declaration.schema.endsWith("/v1")`:                                                             "",
		`int("x") == 1`:                                                                                  `"x" is not a value of type int`,
		`double("1,5") > 1.0`:                                                                            `"1,5" is not a value of type double`,
		`bool("yes") || int(declaration.parameters.n) == 1`:                                              `"yes" is not a value of type bool`,
		`int("7") == declaration.parameters.n && double("1.5") > 1.0`:                                    "",
		`false`:                                  "",
		`1 > 2`:                                  "",
		`declaration.kind == "agent" || 1/0 > 1`: "this constant fails whenever it is evaluated: division by zero",
		`1/0 > 1`:                                "division by zero",
		`[1, 2][5] == declaration.parameters.n`:  "index out of bounds: 5",
		`declaration.kind in [{"a": "agent"}.b]`: "no such key: b",
		`declaration.context.all(c, 9223372036854775807 + 1 > 0)`:                                        "integer overflow",
		`declaration.kind == "agent" || (true || 1/0 > 1)`:                                               "",
		`declaration.parameters.n / 0 == 1`:                                                              "",
		`json({"a": [1, 2][1]}) == declaration.model.name`:                                               "",
		`declaration.parameters.n > 5 && declaration.parameters.n < 3`:                                   "demands of declaration.parameters.n that it is two things at once: > 5 and < 3",
		`3 >= declaration.parameters.n && declaration.kind == "agent" && declaration.parameters.n > 3.0`: "> 3 and <= 3",
		`declaration.parameters.n >= 3 && declaration.parameters.n <= 3`:                                 "",
		`declaration.parameters.n > 2 && declaration.parameters.n < 3`:                                   "",
		`declaration.parameters.n > 2 || declaration.parameters.n < 1`:                                   "",
		`declaration.parameters.n > 2 && declaration.parameters.m < 1`:                                   "",
		`declaration.parameters.n in [1, 2] && declaration.parameters.n > 2`:                             "> 2 and == 1 or 2",
		`declaration.parameters.n in [1, "a"] && declaration.parameters.n > 2`:                           "",
		`size(declaration.context) > 3 && declaration.context.size() == 2`:                               "demands of size(declaration.context)",
		`declaration.context.exists(c, c.size > 3 && c.size < 3)`:                                        "demands of c.size",
		`!declaration.prompt.text.matches("a^b")`:                                                        "the pattern matches no text",
		`!declaration.prompt.text.matches(r"$secret")`:                                                   "the pattern matches no text",
		`!declaration.prompt.text.matches(r"^$|\bsecret$")`:                                              "",
		`!has(declaration.model.version)`:                                                                "",
		`declaration.kind == "training" ? false : true`:                                                  "",
		`now < timestamp("2026-01-31T12:00:00Z")`:                                                        "",
		`run.id == "airun:1:sha256:xyz"`:                                                                 `compares id with "airun:1:sha256:xyz", which is not the identity of a run`,
		`!(run.id in ["airun:1:sha256:` + strings.ToUpper(hex) + `"])`:                                   "which is not the identity of a run",
		`!("abc" in run.parents)`:                                                                        "compares parents",
		`run.parents.all(p, p != "airun:1:sha256:x")`:                                                    "which is not the identity of a run",
		`run.id != "airun:1:sha256:` + hex + `"`:                                                         "",
		`declaration.model.digest.sha256 != "sha256:` + hex + `"`:                                        "which is not a SHA-256",
		`declaration.model.digest.sha256 == "` + hex + `"`:                                               "",
		`declaration.model.digest.sha256 != ""`:                                                          "",
		`declaration.model.?digest.?sha256.orValue("none") != "none"`:                                    "",
		`declaration.context.exists(c, c.digest.sha256 in ["` + hex + `", "` + hex + `0"])`:              "which is not a SHA-256",
	} {
		got := ruleProblems(t, head, expr)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: want %q\n got %s", expr, want, got)
		}
	}
	// a warning may be for no run
	if _, err := Parse([]byte(head+"rules: [{name: a, expr: \"declaration.kind == 'training' && 1 < 0\", severity: warn}]\n"), options); err != nil {
		t.Error(err)
	}
}
