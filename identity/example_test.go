package identity_test

import (
	"errors"
	"fmt"

	"github.com/runattest/runattest/identity"
)

// Order, white space and escapes do not change an identity, and YAML has the identity of the JSON that it
// stands for.
func Example() {
	d, err := identity.Parse([]byte(`{
		"schema": "https://github.com/runattest/runattest/declaration/v1",
		"kind": "inference",
		"model": {"name": "m"},
		"prompt": {"text": "Caf\u00e9?"},
		"parameters": {"temperature": 1.0},
		"context": [],
		"constraints": {}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	same, err := identity.ParseYAML([]byte(`
schema: https://github.com/runattest/runattest/declaration/v1
kind: inference
parameters: {temperature: 1}
prompt: {text: Café?}
model: {name: m}
context: []
constraints: {}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(d.Canonical()))
	fmt.Println(d.ID())
	fmt.Println(d.ID() == same.ID())
	// Output:
	// {"constraints":{},"context":[],"kind":"inference","model":{"name":"m"},"parameters":{"temperature":1},"prompt":{"text":"Café?"},"schema":"https://github.com/runattest/runattest/declaration/v1"}
	// airun:1:sha256:5b343d91595d378b5d479cdaeb43ecbecb74c478bccd93d9fe7a9a6d60c272b0
	// true
}

// Every problem has a code, a place and often a hint.
func ExampleInvalidError() {
	_, err := identity.Parse([]byte(`{
		"schema": "https://github.com/runattest/runattest/declaration/v1",
		"kind": "inference", "model": {"name": "m"}, "prompt": {}, "context": [], "constraints": {},
		"parameters": {"seed": 9007199254740993, "temperature": 0.10000000000000001, "stop": null}
	}`))
	var invalid *identity.InvalidError
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			fmt.Println(p.Line, p.Code, p.Pointer)
		}
	}
	// Output:
	// 4 inexact /parameters/seed
	// 4 inexact /parameters/temperature
	// 4 null /parameters/stop
}
