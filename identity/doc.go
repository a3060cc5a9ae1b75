// Package identity reads declarations of AI runs and computes their identities.
//
// A declaration says, before a run executes, what it will use: model, prompt, parameters,
// context and constraints. Its identity is the SHA-256 of its canonical form, RFC 8785:
//
//	ID = "airun:1:sha256:" + lower-case hex of SHA-256(canonical form)
//
// Nothing else enters it: no time, host, output or log. Equal declarations have equal
// identities on every machine, however they are indented, ordered or escaped, and whether
// they are written in JSON or YAML; unequal ones have unequal identities.
//
//	d, err := identity.Parse(data)  // or ParseYAML
//	d.ID()                          // airun:1:sha256:5e27...
//	d.Canonical()                   // the bytes of which it is the SHA-256
//
// ParseFile is the function to start with where a declaration is in a file, Build where a program has the run in Go values:
//
//	d, err := identity.Build(identity.Run{
//		Kind:       identity.Inference,
//		Model:      identity.Model{Name: "meta-llama/Llama-3.1-8B-Instruct", Version: "0e9e39f"},
//		Prompt:     identity.PromptText("What is the capital of France?"),
//		Parameters: map[string]any{"temperature": 0, "maxTokens": 16},
//	})
//
// All hold the declaration to the same rules. (*Declaration).Run is the inverse of Build: Build(d.Run()) is d.
//
// # What is a declaration
//
// One JSON object that is I-JSON (RFC 7493), whose members are
//
//	schema       Schema, which names type and version
//	kind         inference, agent, training, evaluation, batch or other
//	model        name, and optionally provider, version, uri, digest, components
//	prompt       messages, text or a digest of it; {} for none
//	parameters   any members
//	context      resources: role, name, and where the content is: digest, content or uri
//	constraints  any members
//	parents      optional: the IDs of runs that this one descends from
//	extensions   optional: members named by absolute URIs
//
// JSONSchema has all of it, and docs/spec/identity-v1.md says it exactly enough to be
// implemented again. Other members are refused, and so is null: a member that is absent
// claims nothing, and there is one way to say so.
//
// # Exact numbers
//
// RFC 8785 writes each number as the nearest double. Two numbers can have one double, as
// 9007199254740992 and 9007199254740993 do, and two declarations would have one identity. So a
// number is refused unless its value is that of the text that RFC 8785 writes for it; what
// needs more digits is written as a string.
//
// # What is wrong, and what is doubtful
//
// Parse fails with an *InvalidError, which lists all that is wrong in the order of the text, each with a code, a JSON
// Pointer, an offset, and often what to do about it. A file of another kind has one problem, which says what it looks
// like. Lint also warns of what is valid and yet lets a run vary (a model by the name of a branch, defaults left open),
// misleads a reader (text that is not what it looks like, YAML that has two readings) or should not be published
// (passwords, keys, tokens).
//
// Sizes, counts and depths are bounded: 16 MiB of JSON, 2 MiB of YAML, 100,000 values, 64 levels.
package identity
