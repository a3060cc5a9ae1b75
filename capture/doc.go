// Package capture makes declarations from what is about to run. A [Format] is one published table, such as
// openai-chat/1: it says for each member of a request where it goes in the declaration, or why it stays out.
// [Lookup] finds it, and [Format.Capture] maps a [Source] into a [Captured].
//
// The mapping is a function of the source alone: the request's body, its path, the headers that the table names, and the
// provider's name. It reads the raw JSON text, strictly, so that members that no library knows yet are kept and what
// two readers would take for two requests is refused. From the declaration the source can be rebuilt, up to what the table
// puts out, secrets, and what JSON does not distinguish; so different requests have different identities.
//
//   - What a model sees as text, tools and schemas among it, is declared as its compact JSON text: its order counts.
//   - Bytes in base64 are declared by their SHA-256.
//   - Secrets in tools and unknown members become "[secret]".
//   - State at the provider is reported as open: the declaration cannot say what the model will see.
//
// The rules that all tables share are in docs/spec/capture/README.md, each table on its page beside it.
//
// # An example
//
// The request
//
//	{"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}], "seed": 7, "stream": true}
//
// to OpenAI is declared, but for schema and extension, as
//
//	{"constraints": {}, "context": [], "kind": "inference", "model": {"name": "gpt-4.1", "provider": "openai"},
//	 "parameters": {"seed": 7}, "prompt": {"messages": [{"content": "hi", "role": "user"}]}}
package capture
