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

// A program that starts runs declares them from its own values.
func ExampleBuild() {
	d, err := identity.Build(identity.Run{
		Kind:        identity.Inference,
		Model:       identity.Model{Name: "meta-llama/Llama-3.1-8B-Instruct", Version: "0e9e39f"},
		Prompt:      identity.PromptMessages(identity.Message{Role: "user", Content: "What is the capital of France?"}),
		Parameters:  map[string]any{"temperature": 0.7, "maxTokens": 16, "stop": []string{"\n"}},
		Constraints: map[string]any{"network": false},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.ID())
	fmt.Println(d.Parameters()["temperature"], d.Prompt().Messages()[0].Content)

	run := d.Run() // the same run, but for one parameter
	run.Parameters["maxTokens"] = 32
	other, err := identity.Build(run)
	fmt.Println(other.ID() == d.ID(), err)

	run.Parameters["seed"] = uint64(18446744073709551615) // which RFC 8785 would round
	_, err = identity.Build(run)
	fmt.Println(err)
	// Output:
	// airun:1:sha256:549f69282ea01c0301768e33b03f93158583f0078920997fae4cfb4bd68d8696
	// 0.7 What is the capital of France?
	// false <nil>
	// invalid declaration: /parameters/seed: number cannot be kept exactly by JSON implementations (RFC 8785 would round it) (inexact)
}
