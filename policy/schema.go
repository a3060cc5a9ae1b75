package policy

import _ "embed"

//go:embed policy.schema.json
var schemaJSON string

// JSONSchema is the JSON Schema (2020-12) of a policy. It says the same as Parse about a
// policy's members; what is beyond JSON Schema it leaves to Parse.
func JSONSchema() []byte { return []byte(schemaJSON) }
