package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

// TestNullHints: the hint for null depends on where it stands, and what is written as it says is valid.
func TestNullHints(t *testing.T) {
	messages := func(m string) (string, string) { return `"prompt":{}`, `"prompt":{"messages":[` + m + `]}` }
	for name, c := range map[string]struct {
		old, new string // of the minimal declaration
		hint     string
		mended   string // new, once the hint is followed
	}{
		"parameters":        {`"parameters":{}`, `"parameters":null`, "write {} for a run without parameters", `"parameters":{}`},
		"context":           {`"context":[]`, `"context":null`, "write [] for a run without context", `"context":[]`},
		"prompt":            {`"prompt":{}`, `"prompt":null`, "write {} for a run without a prompt", `"prompt":{}`},
		"prompt's text":     {`"prompt":{}`, `"prompt":{"text":null}`, "leave the member out: {} is for a run without a prompt", `"prompt":{}`},
		"prompt's size":     {`"prompt":{}`, `"prompt":{"text":"a","size":null}`, "leave the member out", `"prompt":{"text":"a"}`},
		"model":             {`"model":{"name":"m"}`, `"model":null`, `write {"name": "..."}`, `"model":{"name":"..."}`},
		"name":              {`"model":{"name":"m"}`, `"model":{"name":null}`, "write it: name is required", `"model":{"name":"x"}`},
		"version":           {`"model":{"name":"m"}`, `"model":{"name":"m","version":null}`, "leave the member out", `"model":{"name":"m"}`},
		"digest":            {`"context":[]`, `"context":[{"role":"tool","name":"t","digest":null}]`, "write it, or leave it out and write another of digest, content, uri", `"context":[{"role":"tool","name":"t","content":1}]`},
		"digest beside URI": {`"context":[]`, `"context":[{"role":"tool","name":"t","uri":"a:b","digest":null}]`, "leave the member out", `"context":[{"role":"tool","name":"t","uri":"a:b"}]`},
		"sha256":            {`"model":{"name":"m"}`, `"model":{"name":"m","digest":{"sha256":null}}`, "write the digits, or leave the member out; a digest without any is left out as a whole", `"model":{"name":"m"}`},
		"resource":          {`"context":[]`, `"context":[null]`, "remove the element", `"context":[]`},
		"parameter":         {`"parameters":{}`, `"parameters":{"stop":null}`, "leave the member out: absent", `"parameters":{}`},
		"const":             {`"context":[]`, `"context":[{"role":"tool","name":"t","content":{"const":null}}]`, `write "type": "null", which says the same in a JSON Schema`, `"context":[{"role":"tool","name":"t","content":{"type":"null"}}]`},
		"default":           {`"context":[]`, `"context":[{"role":"tool","name":"t","content":{"properties":{"a":{"default":null}}}}]`, "leave the member out if there is no default; if the default is null, write the schema", `"context":[{"role":"tool","name":"t","content":{"properties":{"a":{}}}}]`},
		"type":              {`"parameters":{}`, `"parameters":{"schema":{"type":null}}`, `write "null" in quotes if the type is meant`, `"parameters":{"schema":{"type":"null"}}`},
		"types":             {`"parameters":{}`, `"parameters":{"schema":{"type":["string",null]}}`, `write "null" in quotes if the type is meant`, `"parameters":{"schema":{"type":["string","null"]}}`},
		"example":           {`"parameters":{}`, `"parameters":{"schema":{"example":null}}`, "leave the member out if null means that it is not set; if null is a value here", `"parameters":{"schema":{}}`},
		"parameter default": {`"parameters":{}`, `"parameters":{"default":null}`, "leave the member out: absent", `"parameters":{}`},
		"in constraints":    {`"constraints":{}`, `"constraints":{"budget":{"usd":null}}`, "leave the member out if null means that it is not set", `"constraints":{"budget":{}}`},
		"in an extension":   {`"parameters":{}`, `"parameters":{},"extensions":{"urn:x:y":{"const":null}}`, `write "type": "null"`, `"parameters":{},"extensions":{"urn:x:y":{"type":"null"}}`},
		"in an enum":        {`"context":[]`, `"context":[{"role":"tool","name":"t","content":{"enum":["a",null]}}]`, "leaving the element out would change the meaning", `"context":[{"role":"tool","name":"t","content":"{\"enum\":[\"a\",null]}"}]`},
		"in a matrix":       {`"parameters":{}`, `"parameters":{"x":[[1,null]]}`, "leaving the element out would change the meaning", `"parameters":{"x":"[[1,null]]"}`},
		"extensions":        {`"parameters":{}`, `"parameters":{},"extensions":{"urn:x:y":null}`, "leave the extension out, or write {}", `"parameters":{},"extensions":{"urn:x:y":{}}`},
	} {
		check(t, name, c.old, c.new, c.hint, c.mended)
	}
	for name, c := range map[string][3]string{
		"refusal":       {`{"role":"assistant","content":null,"refusal":"no"}`, "leave the member out", `{"role":"assistant","refusal":"no"}`},
		"call":          {`{"role":"assistant","content":null,"tool_calls":[]}`, "leave the member out", `{"role":"assistant","tool_calls":[]}`},
		"no calls":      {`{"role":"user","content":"a","tool_calls":null}`, "leave the member out", `{"role":"user","content":"a"}`},
		"no name":       {`{"role":"user","content":"a","name":null}`, "leave the member out", `{"role":"user","content":"a"}`},
		"role":          {`{"role":null,"content":"a"}`, "write it: role is required", `{"role":"user","content":"a"}`},
		"in content":    {`{"role":"user","content":[null]}`, "leaving the element out would change the meaning", `{"role":"user","content":"[null]"}`},
		"message":       {`{"role":"user","content":"a"},null`, "remove the element", `{"role":"user","content":"a"}`},
		"cache control": {`{"role":"user","content":[{"type":"text","text":"a","cache_control":null}]}`, "leave the member out if null means that it is not set", `{"role":"user","content":[{"type":"text","text":"a"}]}`},
	} {
		old, bad := messages(c[0])
		_, good := messages(c[2])
		check(t, name, old, bad, c[1], good)
	}
}

func check(t *testing.T, name, old, bad, hint, good string) {
	t.Helper()
	_, err := identity.Parse([]byte(strings.Replace(minimal, old, bad, 1)))
	var invalid *identity.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Code != identity.CodeNull || !strings.HasPrefix(invalid.Hint(), hint) {
		t.Errorf("%s: got %v, want the hint %q", name, err, hint)
		if invalid != nil {
			t.Logf("%+v", invalid.Problems)
		}
	}
	if _, err := identity.Parse([]byte(strings.Replace(minimal, old, good, 1))); err != nil {
		t.Errorf("%s: the hint is followed, and: %v", name, err)
	}
}

// TestNullsInYAML: how null is written, and what to write.
func TestNullsInYAML(t *testing.T) {
	for parameters, want := range map[string]string{
		"":                                 "/parameters: null is refused: a key without a value is null in YAML (null); write {} for a run without parameters",
		"{home: ~}":                        "/parameters/home: null is refused: ~ without quotes is null in YAML (null); leave the member out",
		"{stop: NULL}":                     "/parameters/stop: null is refused: NULL without quotes is null in YAML (null); leave the member out",
		"{stop: null}":                     "/parameters/stop: null is refused (null); leave the member out",
		"\n  stop:\n  -":                   "/parameters/stop/0: null is refused: an element without a value is null in YAML (null); leaving the element out would change",
		"{schema: {type: null}}":           `/parameters/schema/type: null is refused (null); write "null" in quotes`,
		"{schema: {type: [string, null]}}": `/parameters/schema/type/1: null is refused (null); write "null" in quotes`,
	} {
		_, err := identity.ParseYAML([]byte(strings.Replace(yamlMinimal, "parameters: {}", "parameters: "+parameters, 1)))
		var invalid *identity.InvalidError
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || !strings.Contains(invalid.Problems[0].String()+"; "+invalid.Hint(), want) {
			t.Errorf("%s: got %v, want %s", parameters, err, want)
		}
	}
	// Words of other languages, in JSON.
	for bad, want := range map[string][3]string{
		"member":     {`"parameters":{}`, `"parameters":{"x":None}`, "leave the member out: null is refused, too"},
		"parameters": {`"parameters":{}`, `"parameters":None`, "write {} for a run without parameters"},
		"prompt":     {`"prompt":{}`, `"prompt":nil`, "write {} for a run without a prompt"},
		"element":    {`"parameters":{}`, `"parameters":{"x":[1,None]}`, "null is refused, too; leaving the element out would change the meaning"},
		"first":      {`"parameters":{}`, `"parameters":{"x":[undefined]}`, "null is refused, too; leaving the element out would change the meaning"},
	} {
		_, err := identity.Parse([]byte(strings.Replace(minimal, want[0], want[1], 1)))
		var invalid *identity.InvalidError
		if !errors.As(err, &invalid) || !strings.HasPrefix(invalid.Hint(), want[2]) {
			t.Errorf("%s: got %v, %+v", bad, err, invalid)
		}
	}
}
