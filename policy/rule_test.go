package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
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
		{`json({1: 2}) == ""`, "", "r: cannot be evaluated, so the run is denied: json: a name is of type int, want string"},
		{`json(9007199254740993) != ""`, "", "r: cannot be evaluated, so the run is denied: number that its canonical form would change at offset 0"},
		{`declaration.constraints.budget <= 10`, "", "r: not met: declaration.constraints.budget <= 10"},
		{`declaration.constraints.budget <= 10`, "budget is {{declaration.constraints.budget}}, want {{5 + 5}} at most", "r: budget is 50, want 10 at most"},
		{`false`, "{{declaration.parameters.list}} {{declaration.model}}", `r: [1,2,3] {"name":"llama","provider":"meta","version":"3.1"}`},
		{`false`, "no {{declaration.model.uri}}", "r: no (no such key: uri)"},
		{`false`, `literal {{"{{"}} and {{"a\nb\u202e"}}`, `r: literal {{ and a b\u{202e}`},
		// a rule that cannot be evaluated denies
		{`declaration.model.digest.sha256 == "x"`, "", "r: cannot be evaluated, so the run is denied: no such key: digest"},
		{`declaration.constraints.budget.usd < 3`, "", "r: cannot be evaluated, so the run is denied: no such key: usd"},
		{`declaration.constraints.budget / 0 == 1`, "", "r: cannot be evaluated, so the run is denied: division by zero"},
		{`declaration.constraints.network`, "", "r: cannot be evaluated, so the run is denied: the expression gives string, want bool"},
		{`has(declaration.constraints.network.x) || true`, "", "allowed"},
		{`has(declaration.constraints.network.x)`, "", "r: cannot be evaluated, so the run is denied: no such key: x"},
		{`declaration.constraints.network > 3`, "", "r: cannot be evaluated, so the run is denied: > does not take string and int; write a number without quotes, or convert: int(x) or double(x) makes a number of text, string(x) text of a number"},
		{`declaration.parameters.steps + 0.5 > 1.0`, "", "r: cannot be evaluated, so the run is denied: + does not take int and double; convert one of them: double(x), or int(x)"},
		{`declaration.constraints.budget < now`, "", "r: cannot be evaluated, so the run is denied: < does not take int and google.protobuf.Timestamp; write duration(\"90s\"), with the units h, m and s"},
		{`!declaration.constraints.network`, "", "r: cannot be evaluated, so the run is denied: ! does not take string; " + boolHint},
		{`declaration.constraints.network || false`, "", "r: cannot be evaluated, so the run is denied: a value is not a bool; " + boolHint},
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

// timed has the clock end evaluations after atMost: after so long that what they cost ends them first, or at once.
func timed(t *testing.T, atMost time.Duration) {
	t.Helper()
	usual := evaluationTime
	evaluationTime = atMost
	t.Cleanup(func() { evaluationTime = usual })
}

// TestStall: whatever a declaration holds, evaluation costs no more than it may, and ends with a no.
func TestStall(t *testing.T) {
	timed(t, time.Hour)
	by := newSigner(t)
	var many strings.Builder
	for i := range 90_000 {
		fmt.Fprintf(&many, ",%d", i)
	}
	list := strings.Replace(declarationText, `"list":[1,2,3]`, `"list":[0`+many.String()+`]`, 1)
	long := strings.Replace(declarationText, `"text":"hello"`, `"text":"`+strings.Repeat("x", 8<<20)+`"`, 1)
	quotes := strings.Replace(declarationText, `"text":"hello"`, `"text":"`+strings.Repeat(`\"`, 64<<10)+`"`, 1)
	pattern := strings.Replace(declarationText, `"list":[1,2,3]`, `"pattern":"`+strings.Repeat("(x+x+)+", 600)+`y"`, 1)
	bomb := strings.Replace(declarationText, `"list":[1,2,3]`, `"pattern":"((x{30}){30}){30}"`, 1)
	for name, c := range map[string]struct{ declaration, expr, want string }{
		"all of many":      {list, `declaration.parameters.list.all(x, x >= 0)`, "allowed"},
		"square":           {list, `declaration.parameters.list.all(x, declaration.parameters.list.all(y, x + y >= 0))`, "cost limit"},
		"in":               {list, `declaration.parameters.list.all(x, x in declaration.parameters.list)`, "cost limit"},
		"in an optional":   {list, `declaration.parameters.list.all(x, x in declaration.parameters.?list.orValue([]))`, "cost limit"},
		"equal":            {list, `declaration.parameters.list.all(x, [declaration.parameters.list] == [declaration.parameters.list])`, "cost limit"},
		"map of map":       {list, `declaration.parameters.list.map(x, declaration.parameters.list.map(y, x)).size() == 0`, "cost limit"},
		"concatenate":      {long, `[1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19].all(x, declaration.prompt.text + declaration.prompt.text != "")`, "cost limit"},
		"double bytes":     {declarationText, `[b"aaaaaaaaaaaaaaaa"]` + strings.Repeat(`.map(b, b + b)`, 24) + `.size() == 0`, "cost limit"},
		"double optional":  {declarationText, `[optional.of("aaaaaaaaaaaaaaaa")]` + strings.Repeat(`.map(o, optional.of(o.value() + o.value()))`, 24) + `.size() == 0`, "cost limit"},
		"json":             {list, `declaration.parameters.list.all(x, json(declaration) != "")`, "cost limit"},
		"json of long":     {long, `!json(declaration.prompt).matches("y")`, "allowed"},
		"json of json":     {quotes, strings.Repeat("json(", 12) + "declaration.prompt.text" + strings.Repeat(")", 12) + ` != ""`, "cost limit"},
		"split":            {long, `declaration.prompt.text.split("").size() > 0`, "pieces"},
		"constant regex":   {long, `declaration.prompt.text.matches("(x+x+)+y(a|b|c|d|e|f|g|h|i|j|k|l|m|n){9}")`, "too many for a regular expression"},
		"regex from input": {pattern, `"xxxxxxxxxxxxxxxxxxxxxxxx".matches(declaration.parameters.pattern)`, "regular expression of 4201 bytes"},
		"regex bomb":       {bomb, `"xxxxxxxxxxxxxxxxxxxxxxxx".matches(declaration.parameters.pattern)`, "error parsing regexp"},
	} {
		t.Run(name, func(t *testing.T) {
			p := policyOf(t, by, fmt.Sprintf("rules:\n  - name: r\n    expr: %q\n", c.expr))
			start := time.Now()
			d := decide(t, p, c.declaration, by)
			took := time.Since(start)
			if got := told(d); !strings.Contains(got, c.want) || d.Allowed && c.want != "allowed" {
				t.Errorf("got %.300s, want %s", got, c.want)
			}
			t.Logf("%v", took)
		})
	}
}

// TestBackstop: the clock ends what may be counted further, and what costs more than is counted.
func TestBackstop(t *testing.T) {
	timed(t, time.Nanosecond)
	by := newSigner(t)
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, ",%d", i)
	}
	text := strings.Replace(declarationText, `"list":[1,2,3]`, `"list":[0`+many.String()+`]`, 1)
	for _, expr := range []string{
		"declaration.parameters.list.all(x, declaration.parameters.list.exists(y, x == y))",
		`declaration.prompt.text.matches("h")`,
		"declaration.prompt.text.matches(declaration.prompt.text)",
	} {
		p := policyOf(t, by, fmt.Sprintf("rules:\n  - {name: r, expr: %q}\n", expr))
		if got, want := told(decide(t, p, text, by)), "r: cannot be evaluated, so the run is denied: context deadline exceeded"; !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %.300s, want %s", expr, got, want)
		}
	}
}
