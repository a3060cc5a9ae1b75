package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
)

func capturedRun(t *testing.T, format, body string) *identity.Declaration {
	t.Helper()
	f, err := capture.Lookup(format)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Capture(capture.Source{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return c.Declaration
}

// TestOpen: rules see what a declaration leaves open, and what its table does not know as hiding everything, unless the policy knows it.
func TestOpen(t *testing.T) {
	by := newSigner(t)
	plain := capturedRun(t, "openai-responses/1", `{"model":"m","input":"x"}`)
	thread := capturedRun(t, "openai-responses/1", `{"model":"m","input":"x","previous_response_id":"resp_1"}`)
	stored := capturedRun(t, "openai-responses/1", `{"model":"m","prompt":{"id":"pmpt_1"}}`)
	fetched := capturedRun(t, "openai-chat/1", `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h.example/i.png"}}]}]}`)
	newer := capturedRun(t, "openai-responses/1", `{"model":"m","input":"x","newcomer":true}`)
	adapter := parse(t, strings.Replace(declarationText, `"parameters":{"temperature":0,"topP":0.5,"steps":1e3,"list":[1,2,3]}`, `"parameters":{},"extensions":{"`+capture.Interface+`":{"api":"elsewhere"}}`, 1))
	const (
		closed = "rules: [{name: closed, expr: 'open == []', message: 'open: {{open.map(o, o.pointer + o.name)}}'}]\n"
		tools  = "rules: [{name: tools, expr: 'open.all(o, !(\"tools\" in o.hides))'}]\n"
		sure   = "rules: [{name: sure, expr: '!open.exists(o, o.unknown)'}]\n"
	)
	for name, c := range map[string]struct {
		rest   string
		run    *identity.Declaration
		denied string
		openBy string
	}{
		"closed":          {closed, plain, "", "openai-responses/1, the newest of this program"},
		"a thread":        {closed, thread, `closed: open: ["/previous_response_id"]`, "openai-responses/1, the newest of this program"},
		"its tools":       {tools, stored, "tools: not met: open.all(o, !(\"tools\" in o.hides))", "openai-responses/1, the newest of this program"},
		"an address":      {tools, fetched, "", "openai-chat/1, the newest of this program"},
		"unknown":         {tools, newer, "tools: not met: open.all(o, !(\"tools\" in o.hides))", "openai-responses/1, the newest of this program"},
		"another known":   {sure + "capture: {known: [member newcome]}\n", newer, "sure: not met: !open.exists(o, o.unknown)", "openai-responses/1, the newest of this program"},
		"known":           {closed + "capture: {known: [member newcomer]}\n", newer, "", "openai-responses/1, the newest of this program"},
		"a table":         {closed + "capture: {tables: [openai-chat/1, openai-responses/1]}\n", plain, "", "openai-responses/1, which the policy names"},
		"by hand":         {closed, parse(t, declarationText), `closed: open: ["interface"]`, "no table, because the declaration does not say its interface"},
		"other interface": {closed, adapter, `closed: open: ["interface elsewhere"]`, `no table, because none is known for the interface "elsewhere"`},
		"not read":        {"rules: [{name: x, expr: 'true'}]\n", thread, "", ""},
	} {
		p := policyOf(t, by, c.rest)
		d, err := p.Rehearse(ctx, Rehearsal{Declaration: c.run, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		var denials []string
		for _, denial := range d.Denials {
			denials = append(denials, denial.String())
		}
		if got := strings.Join(denials, "; "); got != c.denied || d.Allowed != (c.denied == "") || d.OpenBy != c.openBy {
			t.Errorf("%s: %q by %q, want %q by %q", name, got, d.OpenBy, c.denied, c.openBy)
		}
	}
}

// TestOpenText: what a policy says of open that decides nothing, or forbids nothing, is refused.
func TestOpenText(t *testing.T) {
	by := newSigner(t)
	const rule = "rules: [{name: closed, expr: 'open == []'}]\n"
	for text, want := range map[string]string{
		"capture: {known: [member x]}\n":                                     "/capture: no rule reads open",
		rule + "capture: {}\n":                                               "/capture: names neither tables nor what is known",
		rule + "capture: {tables: [openai-chat]}\n":                          `/capture/tables/0: "openai-chat" has no number`,
		rule + "capture: {tables: [openai-chat/99]}\n":                       "/capture/tables/0: no capture format",
		rule + "capture: {tables: [openai-chat/1, openai-chat/1]}\n":         "/capture/tables/1: openai-chat/1 is a table of the same interface",
		rule + "capture: {known: [member x, member x]}\n":                    "/capture/known/1: stands in the list already",
		rule + "capture: {known: [member x, top_k]}\n":                       `/capture/known/1: "top_k" is the name of nothing that a table does not know`,
		rule + "capture: {known: ['member x ']}\n":                           `/capture/known/0: a blank at the end is easily overlooked`,
		rule + "capture: {known: [\"member t\u043eols\"]}\n":                 "/capture/known/0: ",
		rule + "capture: {known: [interface elsewhere]}\n":                   `/capture/known/0: "interface elsewhere" is the name of nothing`,
		rule + "capture: {others: [x]}\n":                                    "/capture/others",
		"rules: [{name: a, expr: 'open.all(o, !(\"tool\" in o.hides))'}]\n":  `compares hides with "tool", which it never is`,
		"rules: [{name: a, expr: 'open.all(o, !(o.name in o.hided))'}]\n":    "hided",
		"rules: [{name: a, expr: 'open.all(o, o.hides == [] || o.open)'}]\n": "open",
	} {
		if _, err := Parse([]byte(header(t, by)+text), options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s got %v, want %s", text, err, want)
		}
	}
	spec := Spec{Keys: []attest.TrustedKey{{Name: "ci", Key: by.PublicKey()}}, Rules: []Rule{{Name: "closed", Expr: "open == []"}}}
	spec.Capture = CaptureTerms{Tables: []string{"openai-chat/1"}, Known: []string{"member newcomer"}}
	p, err := New(spec, Options{BeforeSigning: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(spec.Capture.Known, p.capture.known); diff != "" || len(p.capture.tables) != 1 {
		t.Errorf("%v %s", p.capture.tables, diff)
	}
}
