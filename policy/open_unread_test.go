package policy

import (
	"strings"
	"testing"

	"github.com/runattest/runattest/capture"
)

// TestOpenNotKnown: what is not looked into is in open whatever the policy lists as known, also where its name is that of a type.
func TestOpenNotKnown(t *testing.T) {
	const text = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference","model":{"name":"m"},` +
		`"prompt":{},"parameters":{},"context":[CONTEXT],"constraints":{},"extensions":{"` + capture.Interface + `":{"api":"API"}}}`
	flood := strings.Repeat(`{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[`, 20) + strings.Repeat(`{\"type\":\"file_search\",\"vector_store_ids\":[\"v\"]},`, 12_000) + `{}` + strings.Repeat("]}", 20)
	for name, c := range map[string]struct{ api, context, known string }{
		"a type":           {"openai-responses", `{"role":"tool","name":"bash_20260101","content":"{\"type\":\"bash_20260101\"}"}`, ""},
		"a name":           {"openai-responses", `{"role":"tool","name":"bash_20260101","content":"not JSON"}`, "resource tool bash_20260101"},
		"an address":       {"openai-responses", `{"role":"tool","name":"bash_20260101","uri":"https://h.example/tools.json"}`, "resource tool bash_20260101"},
		"no table":         {"elsewhere", "", "interface elsewhere"},
		"a flood":          {"openai-responses", `{"role":"tool","name":"n","content":"` + flood + `"}`, "more than is looked at"},
		"a memory":         {"openai-responses", `{"role":"memory","name":"m","uri":"https://h.example/m"}`, "resource memory m"},
		"a tool by a name": {"openai-responses", `{"role":"tool","name":"known","content":"{\"type\":\"bash_20260101\"}"}`, "resource tool known"},
	} {
		d := parse(t, strings.NewReplacer("CONTEXT", c.context, "API", c.api).Replace(text))
		p := policyOf(t, newSigner(t), "rules: [{name: sure, expr: '!open.exists(o, o.unknown)', message: '{{open.filter(o, o.unknown).map(o, o.name)}}'}]\n"+
			"capture: {known: [tool bash_20260101, 'tool without type']}\n")
		p.capture.known = append(p.capture.known, c.known) // which Parse refuses
		got, err := p.Rehearse(ctx, Rehearsal{Declaration: d, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if got.Allowed != (c.known == "") || c.known != "" && !strings.Contains(got.Denials[0].String(), c.known) {
			t.Errorf("%s: allowed is %t: %v", name, got.Allowed, got.Denials)
		}
	}
}
