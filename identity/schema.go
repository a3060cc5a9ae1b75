package identity

import _ "embed"

//go:embed declaration.schema.json
var schemaJSON string

// JSONSchema is the JSON Schema (2020-12) of a declaration. It says the same as
// Parse about a declaration's members; what is beyond JSON Schema (unique names,
// valid Unicode, exact numbers, limits) it leaves to Parse.
func JSONSchema() []byte { return []byte(schemaJSON) }
