package policy

import (
	"fmt"
	"strings"
	"testing"
)

// TestRules: what rules see, and what they say.
func TestRules(t *testing.T) {
	by := newSigner(t)
	known := newClock(t).root(t) + someApprover(t)
	for _, c := range []struct{ expr, message, want string }{
		{`declaration.kind == "training"`, "", "allowed"},
		{`run.id.startsWith("airun:1:sha256:") && run.kind == declaration.kind && run.parents == []`, "", "allowed"},
		{`signer.name == "ci" && signer.kind == "key" && signer.issuer == "" && signer.algorithm == "ed25519"`, "", "allowed"},
		{`annotations.ticket == "ML-1" && annotations.all(k, k == "ticket")`, "", "allowed"},
		{`now == timestamp("2026-11-24T12:00:00Z")`, "", "allowed"},
		{`!time.verified && time.timestamps.size() == 0 && !has(time.earliest)`, "", "allowed"},
		{`approvals.size() == 0`, "", "allowed"},
		// an integral number is an int, however it was written; others are doubles; they compare
		{`type(declaration.parameters.temperature) == int && declaration.parameters.temperature == 0.0`, "", "allowed"},
		{`type(declaration.parameters.steps) == int && declaration.parameters.steps == 1000`, "", "allowed"},
		{`type(declaration.parameters.topP) == double && declaration.parameters.topP < 1`, "", "allowed"},
		{`declaration.constraints.budget <= 50.5`, "", "allowed"},
		{`declaration.context.exists(r, r.role == "dataset" && has(r.digest)) && !has(declaration.model.digest)`, "", "allowed"},
		{`declaration.constraints.?network.orValue("any") == "none" && declaration.constraints.?region.orValue("any") == "any"`, "", "allowed"},
		{`declaration.prompt.text.matches("^h.l+o$") && " A b".trim().lowerAscii().split(" ") == ["a", "b"]`, "", "allowed"},
		{`json(declaration.model) == "{\"name\":\"llama\",\"provider\":\"meta\",\"version\":\"3.1\"}" && json([null, 1, 0.5, true, "<"]) == "[null,1,0.5,true,\"<\"]"`, "", "allowed"},
		{`json(declaration).contains("1000") && json(approvals) == "[]" && json(declaration.prompt.?text.orValue("")) == "\"hello\""`, "", "allowed"},
		// denials
		{`json(now) == ""`, "", "r: cannot be evaluated, so the run is denied: json: no value of type google.protobuf.Timestamp"},
		{`json({declaration.parameters.steps: 2}) == ""`, "", "r: cannot be evaluated, so the run is denied: json: a name is of type int, want string"},
		{`json(9007199254740993 + declaration.parameters.steps) != ""`, "", "r: cannot be evaluated, so the run is denied: number that its canonical form would change at offset 0"},
		{`declaration.constraints.budget <= 10`, "", "r: not met: declaration.constraints.budget <= 10"},
		{`declaration.constraints.budget <= 10`, "budget is {{declaration.constraints.budget}}, want {{5 + 5}} at most", "r: budget is 50, want 10 at most"},
		{`false`, "{{declaration.parameters.list}} {{declaration.model}}", `r: [1,2,3] {"name":"llama","provider":"meta","version":"3.1"}`},
		{`false`, "{{timestamp('0001-01-01T00:00:00Z')}}", "r: 0001-01-01T00:00:00Z"},
		{`false`, "no {{declaration.model.uri}}", "r: no (no such key: uri)"},
		{`false`, `literal {{"{{"}} and {{"a\nb\u202e"}}`, `r: literal {{ and a b\u{202e}`},
		// a rule that cannot be evaluated denies
		{`declaration.model.digest.sha256.contains("0a")`, "", "r: cannot be evaluated, so the run is denied: no such key: digest"},
		{`declaration.constraints.budget.usd < 3`, "", "r: cannot be evaluated, so the run is denied: no such key: usd"},
		{`declaration.constraints.budget / 0 == 1`, "", "r: cannot be evaluated, so the run is denied: division by zero"},
		{`declaration.constraints.network`, "", "r: cannot be evaluated, so the run is denied: the expression gives string, want bool"},
		{`has(declaration.constraints.network.x) || true`, "", "allowed"},
		{`has(declaration.constraints.network.x)`, "", "r: cannot be evaluated, so the run is denied: no such key: x"},
		{`declaration.constraints.network > 3`, "", "r: cannot be evaluated, so the run is denied: > does not take string and int; write a number without quotes, or convert: int(x) or double(x) makes a number of text, string(x) text of a number"},
		{`declaration.parameters.steps + 0.5 > 1.0`, "", "r: cannot be evaluated, so the run is denied: + does not take int and double; convert one of them: double(x), or int(x)"},
		{`declaration.constraints.budget < now`, "", "r: cannot be evaluated, so the run is denied: < does not take int and google.protobuf.Timestamp; write duration(\"90s\"), with the units h, m and s"},
		{`!declaration.constraints.network`, "", "r: cannot be evaluated, so the run is denied: ! does not take string; compare first, as in declaration.kind == \"training\": !, && and || want conditions"},
		{`declaration.constraints.network || false`, "", "r: cannot be evaluated, so the run is denied: a value is not a bool; compare first, as in declaration.kind == \"training\": !, && and || want conditions"},
		{`declaration.parameters.steps.startsWith("a")`, "", "r: cannot be evaluated, so the run is denied: startsWith does not take int and string; want string.startsWith(string)"},
		{`declaration.parameters.list.exists(x, x > "3")`, "", "r: cannot be evaluated, so the run is denied: > does not take int and string; write a number without quotes, or convert: int(x) or double(x) makes a number of text, string(x) text of a number"},
	} {
		p := policyOf(t, by, known+fmt.Sprintf("rules:\n  - name: r\n    expr: %q\n", c.expr)+messageOf(c.message))
		if got := told(decide(t, p, declarationText, by)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.expr, got, c.want)
		}
	}
}

func messageOf(message string) string {
	if message == "" {
		return ""
	}
	return "    message: '" + strings.ReplaceAll(message, "'", "''") + "'\n"
}
