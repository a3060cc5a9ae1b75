package identity_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

func built(t *testing.T, r identity.Run) *identity.Declaration {
	t.Helper()
	d, err := identity.Build(r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBuildEverything makes each member from Go values, and reads it again.
func TestBuildEverything(t *testing.T) {
	parent := mustParse(t, []byte(minimal)).ID()
	d := built(t, identity.Run{
		Kind: identity.Agent,
		Model: identity.Model{
			Name: "m", Provider: "p", Version: "1", URI: "https://example.com/m",
			Digests:    identity.Digests{SHA256: [32]byte{1}, SHA384: [48]byte{2}, SHA512: [64]byte{3}},
			Components: []identity.Resource{{Role: "adapter", Name: "a", URI: "file:///a"}},
		},
		Prompt: identity.PromptMessages(
			identity.Message{Role: "system", Content: "Be brief."},
			identity.Message{Role: "assistant", Members: map[string]any{"tool_calls": []any{map[string]any{"id": "1"}}}},
			identity.Message{Role: "user", Content: []map[string]string{{"type": "text", "text": "Hi"}}},
		),
		Parameters:  map[string]any{"seed": 42, "temperature": float32(0.1), "stop": []string{"\n"}, "logprobs": true, "n": new(2)},
		Context:     []identity.Resource{{Role: "tool", Name: "t", Size: new(int64(0)), MediaType: "text/plain", Version: "2", Content: []byte(`{"x": 1.0}`)}},
		Constraints: map[string]any{"budget": json.Number("4.50"), "limits": map[string]int64{"steps": 1 << 53}},
		Parents:     []identity.ID{parent},
		Extensions:  map[string]any{"https://example.com/x": json.RawMessage(`{"b": 1, "a": [2]}`), "urn:y": big.NewInt(7)},
	})
	want := mustParse(t, []byte(`{
		"schema": "https://github.com/runattest/runattest/declaration/v1",
		"kind": "agent",
		"model": {"name": "m", "provider": "p", "version": "1", "uri": "https://example.com/m",
			"digest": {"sha256": "01`+strings.Repeat("00", 31)+`", "sha384": "02`+strings.Repeat("00", 47)+`", "sha512": "03`+strings.Repeat("00", 63)+`"},
			"components": [{"role": "adapter", "name": "a", "uri": "file:///a"}]},
		"prompt": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "assistant", "tool_calls": [{"id": "1"}]},
			{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
		"parameters": {"seed": 42, "temperature": 0.1, "stop": ["\n"], "logprobs": true, "n": 2},
		"context": [{"role": "tool", "name": "t", "size": 0, "mediaType": "text/plain", "version": "2", "content": {"x": 1}}],
		"constraints": {"budget": 4.5, "limits": {"steps": 9007199254740992}},
		"parents": ["`+parent.String()+`"],
		"extensions": {"https://example.com/x": {"a": [2], "b": 1}, "urn:y": 7}
	}`))
	if string(d.Canonical()) != string(want.Canonical()) {
		t.Errorf("got\n%s\nwant\n%s", d.Canonical(), want.Canonical())
	}
	if again := built(t, d.Run()); again.ID() != d.ID() {
		t.Errorf("built of its own parts it is\n%s\nwant\n%s", again.Canonical(), d.Canonical())
	}
	if m := d.Prompt().Messages(); len(m) != 3 || m[0].Content != "Be brief." || m[1].Content != nil || m[1].Members["tool_calls"] == nil {
		t.Errorf("messages %+v", m)
	}
	if n := d.Constraints()["budget"]; n != json.Number("4.5") {
		t.Errorf("budget %v", n)
	}
}

// TestBuildTellsAbsentFromEmpty: what is absent and what is empty have two identities, and the accessors keep them apart.
func TestBuildTellsAbsentFromEmpty(t *testing.T) {
	zeros := strings.Repeat("0", 64)
	for _, text := range []string{
		minimal,
		string(with(`"parents":[]`)),
		string(with(`"extensions":{}`)),
		strings.Replace(minimal, `{"name":"m"}`, `{"name":"m","components":[]}`, 1),
		strings.Replace(minimal, `{"name":"m"}`, `{"name":"m","digest":{"sha256":"`+zeros+`"}}`, 1),
		strings.Replace(minimal, `"prompt":{}`, `"prompt":{"text":""}`, 1),
		strings.Replace(minimal, `"prompt":{}`, `"prompt":{"messages":[{"role":"user"}]}`, 1),
		strings.Replace(minimal, `"prompt":{}`, `"prompt":{"messages":[{"role":"user","content":""}]}`, 1),
		strings.Replace(minimal, `"prompt":{}`, `"prompt":{"digest":{"sha256":"`+zeros+`"}}`, 1),
		strings.Replace(minimal, `"prompt":{}`, `"prompt":{"digest":{"sha512":"`+zeros+zeros+`"},"size":0,"mediaType":"text/plain"}`, 1),
	} {
		d := mustParse(t, []byte(text))
		if again := built(t, d.Run()); again.ID() != d.ID() {
			t.Errorf("got\n%s\nwant\n%s", again.Canonical(), d.Canonical())
		}
	}
}

// TestAccessorsAreCopies changes everything that the accessors return.
func TestAccessorsAreCopies(t *testing.T) {
	text := strings.Replace(minimal, `"prompt":{}`, `"prompt":{"messages":[{"role":"user","content":[{"type":"text"}],"name":["a"]}]}`, 1)
	text = strings.Replace(text, `"parameters":{}`, `"parameters":{"stop":["a"],"o":{"x":1}}`, 1)
	text = strings.Replace(text, `"context":[]`, `"context":[{"role":"tool","name":"t","size":1,"content":{"x":1}}]`, 1)
	d := mustParse(t, []byte(text))
	want := string(d.Canonical())
	r := d.Run()
	r.Parameters["stop"].([]any)[0] = "b"
	r.Parameters["o"].(map[string]any)["x"] = 2
	r.Context[0].Content[1] = 'x'
	*r.Context[0].Size = 9
	m := d.Prompt().Messages()
	m[0].Content.([]any)[0].(map[string]any)["type"] = "x"
	m[0].Members["name"].([]any)[0] = "b"
	if again := built(t, d.Run()); string(again.Canonical()) != want || string(d.Canonical()) != want {
		t.Errorf("the declaration changed:\n%s\nwant\n%s", again.Canonical(), want)
	}
}

// TestBuildRefuses: what Parse refuses is refused at the same place with the same code, and so is what JSON does not have.
func TestBuildRefuses(t *testing.T) {
	loop := map[string]any{}
	loop["a"], loop["b"] = loop, loop
	wide := make([]map[string]any, 70)
	for i := range wide {
		wide[i] = map[string]any{}
		if i > 0 {
			wide[i]["a"], wide[i]["b"] = wide[i-1], wide[i-1]
		}
	}
	for name, test := range map[string]struct {
		value   any
		code    identity.Code
		pointer string
	}{
		"int64":           {int64(math.MaxInt64), "inexact", "/parameters/x"},
		"2^53+1":          {1<<53 + 1, "inexact", "/parameters/x"},
		"uint64":          {uint64(math.MaxUint64), "inexact", "/parameters/x"},
		"big.Int":         {new(big.Int).Lsh(big.NewInt(1), 64), "inexact", "/parameters/x"},
		"in a list":       {[]int64{1, math.MaxInt64}, "inexact", "/parameters/x/1"},
		"NaN":             {math.NaN(), "value", "/parameters/x"},
		"infinity":        {[]float64{math.Inf(1)}, "value", "/parameters/x/0"},
		"json.Number":     {json.Number("0x10"), "syntax", "/parameters/x"},
		"no number":       {json.Number(""), "syntax", "/parameters/x"},
		"two members":     {json.Number(`1,"y":2`), "syntax", "/parameters/x"},
		"range":           {json.Number("1e400"), "range", "/parameters/x"},
		"nil":             {nil, "null", "/parameters/x"},
		"nil slice":       {[]string(nil), "null", "/parameters/x"},
		"nil pointer":     {(*int)(nil), "null", "/parameters/x"},
		"nil deeper":      {map[string]any{"y": nil}, "null", "/parameters/x/y"},
		"UTF-8":           {"\xff", "utf8", "/parameters/x"},
		"UTF-8 in a name": {map[string]int{"\xff": 1}, "utf8", "/parameters/x/\xff"},
		"bytes":           {[]byte("x"), "type", "/parameters/x"},
		"struct":          {struct{ X int }{1}, "type", "/parameters/x"},
		"function":        {func() {}, "type", "/parameters/x"},
		"raw":             {json.RawMessage(`{"a":1,"a":2}`), "duplicate", "/parameters/x/a"},
		"raw, two":        {json.RawMessage(`1,"y":2`), "trailing", "/parameters/x"},
		"itself":          {loop, "depth", ""},
		"wide":            {wide[50], "count", ""},
	} {
		_, err := identity.Build(identity.Run{Kind: identity.Other, Model: identity.Model{Name: "m"}, Parameters: map[string]any{"x": test.value}})
		var invalid *identity.InvalidError
		if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		p := invalid.Problems[0]
		if p.Code != test.code || test.pointer != "" && p.Pointer != test.pointer || p.Offset != 0 || p.Line != 0 || p.Column != 0 {
			t.Errorf("%s: got %+v, want %s at %s", name, p, test.code, test.pointer)
		}
	}
}

// TestBuildNamesWhatIsMissing holds the pointers of members that are fields in Go.
func TestBuildNamesWhatIsMissing(t *testing.T) {
	for pointer, r := range map[string]identity.Run{
		"/kind":                      {Model: identity.Model{Name: "m"}},
		"/model/name":                {Kind: identity.Other},
		"/context/0":                 {Kind: identity.Other, Model: identity.Model{Name: "m"}, Context: []identity.Resource{{Role: "tool", Name: "t"}}},
		"/context/0/role":            {Kind: identity.Other, Model: identity.Model{Name: "m"}, Context: []identity.Resource{{Role: "x", Name: "t", URI: "urn:t"}}},
		"/context/0/content":         {Kind: identity.Other, Model: identity.Model{Name: "m"}, Context: []identity.Resource{{Role: "tool", Name: "t", Content: []byte("{")}}},
		"/prompt/messages":           {Kind: identity.Other, Model: identity.Model{Name: "m"}, Prompt: identity.PromptMessages()},
		"/prompt/messages/0/role":    {Kind: identity.Other, Model: identity.Model{Name: "m"}, Prompt: identity.PromptMessages(identity.Message{})},
		"/prompt/messages/0/content": {Kind: identity.Other, Model: identity.Model{Name: "m"}, Prompt: identity.PromptMessages(identity.Message{Role: "u", Members: map[string]any{"content": ""}})},
		"/prompt/digest":             {Kind: identity.Other, Model: identity.Model{Name: "m"}, Prompt: identity.PromptDigest(identity.Digests{}, nil, "")},
		"/parents/0":                 {Kind: identity.Other, Model: identity.Model{Name: "m"}, Parents: []identity.ID{{}}},
		"/extensions/x":              {Kind: identity.Other, Model: identity.Model{Name: "m"}, Extensions: map[string]any{"x": true}},
	} {
		_, err := identity.Build(r)
		var invalid *identity.InvalidError
		if !errors.As(err, &invalid) || invalid.Problems[0].Pointer != pointer {
			t.Errorf("got %v, want a problem at %s", err, pointer)
		}
	}
}
