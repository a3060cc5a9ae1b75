package rules

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/identity"
)

const declarationText = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"training","model":{"name":"llama"},` +
	`"prompt":{"text":"hello"},"parameters":{"list":[1,2,3]},"context":[],"constraints":{"budget":50}}`

// declared is the declaration as Values have it.
func declared(t testing.TB, text string) func() []byte {
	t.Helper()
	d, err := identity.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Canonical
}

// ruleOf reads a rule.
func ruleOf(t testing.TB, condition, message string) *Rule {
	t.Helper()
	var r Rule
	if found := append(r.ReadCondition(Source{Text: condition})(), r.ReadMessage(Source{Text: message})()...); len(found) > 0 {
		t.Fatalf("%s: %+v", condition, found)
	}
	return &r
}

// evaluate evaluates a rule alone.
func evaluate(t testing.TB, ctx context.Context, r *Rule, v Values) *Evaluation {
	t.Helper()
	var s Set
	s.Add(r)
	e, err := s.Evaluate(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// met is what a condition comes to: "met", why it is not, or the error.
func met(t testing.TB, ctx context.Context, condition string, v Values) string {
	t.Helper()
	r := ruleOf(t, condition, "")
	e := evaluate(t, ctx, r, v)
	switch yes, err := e.Met(r); {
	case err != nil:
		return err.Error()
	case yes:
		return "met"
	}
	return e.Reason(r)
}

// TestStall: whatever a declaration holds, evaluation costs no more than it may, and ends with a no.
func TestStall(t *testing.T) {
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
		"all of many":      {list, `declaration.parameters.list.all(x, x >= 0)`, "met"},
		"square":           {list, `declaration.parameters.list.all(x, declaration.parameters.list.all(y, x + y >= 0))`, "cost limit"},
		"in":               {list, `declaration.parameters.list.all(x, x in declaration.parameters.list)`, "cost limit"},
		"in an optional":   {list, `declaration.parameters.list.all(x, x in declaration.parameters.?list.orValue([]))`, "cost limit"},
		"equal":            {list, `declaration.parameters.list.all(x, [declaration.parameters.list] == [declaration.parameters.list])`, "cost limit"},
		"map of map":       {list, `declaration.parameters.list.map(x, declaration.parameters.list.map(y, x)).size() == 0`, "cost limit"},
		"concatenate":      {long, `[1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19].all(x, declaration.prompt.text + declaration.prompt.text != "")`, "cost limit"},
		"double bytes":     {declarationText, `[b"aaaaaaaaaaaaaaaa"]` + strings.Repeat(`.map(b, b + b)`, 24) + `.size() == 0`, "cost limit"},
		"double optional":  {declarationText, `[optional.of("aaaaaaaaaaaaaaaa")]` + strings.Repeat(`.map(o, optional.of(o.value() + o.value()))`, 24) + `.size() == 0`, "cost limit"},
		"json":             {list, `declaration.parameters.list.all(x, json(declaration) != "")`, "cost limit"},
		"json of long":     {long, `!json(declaration.prompt).matches("y")`, "met"},
		"json of json":     {quotes, strings.Repeat("json(", 12) + "declaration.prompt.text" + strings.Repeat(")", 12) + ` != ""`, "cost limit"},
		"split":            {long, `declaration.prompt.text.split("").size() > 0`, "pieces"},
		"constant regex":   {long, `declaration.prompt.text.matches("(x+x+)+y(a|b|c|d|e|f|g|h|i|j|k|l|m|n){9}")`, "too many for a regular expression"},
		"regex from input": {pattern, `"xxxxxxxxxxxxxxxxxxxxxxxx".matches(declaration.parameters.pattern)`, "regular expression of 4201 bytes"},
		"regex bomb":       {bomb, `"xxxxxxxxxxxxxxxxxxxxxxxx".matches(declaration.parameters.pattern)`, "error parsing regexp"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if got := met(t, context.Background(), c.expr, Values{Declaration: declared(t, c.declaration)}); !strings.Contains(got, c.want) {
				t.Errorf("got %.300s, want %s", got, c.want)
			}
			t.Logf("%v", time.Since(start))
		})
	}
}

// TestBackstop: the clock ends what may be counted further, and what costs more than is counted.
func TestBackstop(t *testing.T) {
	late, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
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
		if got, want := met(t, late, expr, Values{Declaration: declared(t, text)}), "context deadline exceeded"; !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %.300s, want %s", expr, got, want)
		}
	}
}
