package identity

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/yamljson"
)

// What to write instead of null depends on where it stands: a hint that is followed must not lead to another
// error, nor change what is declared.

const (
	leaveOut = "leave the member out: absent means that nothing is claimed"

	// freeMember is for members whose meaning is not ours: null may be a value there, such as a default in a JSON Schema.
	freeMember = "leave the member out if null means that it is not set; if null is a value here, write the object that it is in as JSON text in a string"
	// freeElement is for elements: without one the others have other places.
	freeElement = "leaving the element out would change the meaning: write the array, or the object that it is in, as JSON text in a string"

	// A schema without a const takes everything, and a type without quotation marks is null in YAML.
	constNull   = `write "type": "null", which says the same in a JSON Schema; elsewhere write the object that it is in as JSON text in a string`
	defaultNull = "leave the member out if there is no default; if the default is null, write the schema that it is in as JSON text in a string"
	typeNull    = `write "null" in quotes if the type is meant; else leave the member out`
	typeElement = `write "null" in quotes if the type is meant; else write the array as JSON text in a string`

	removeElement = "remove the element"
)

// nullHint is for a member that is null in a closed object.
func (m *members) nullHint(name string, object jsontree.Value) string {
	isSet := func(other string) bool {
		kind := object.Get(other).Kind()
		return kind != jsontree.Absent && kind != jsontree.Null
	}
	switch hint, ok := m.nulls[name]; {
	case ok:
		return hint
	case slices.Contains(m.required, name):
		return "write it: " + name + " is required"
	case slices.Contains(m.anyOf, name) && !slices.ContainsFunc(m.anyOf, isSet):
		return "write it, or leave it out and write another of " + strings.Join(m.anyOf, ", ")
	}
	return leaveOut
}

// declarationNulls are for the members of the declaration itself that cannot be left out.
var declarationNulls = map[string]string{
	"schema":      `write "` + Schema + `"`,
	"kind":        "write what sort of run it is; other fits all",
	"model":       `write {"name": "..."}`,
	"prompt":      "write {} for a run without a prompt",
	"parameters":  "write {} for a run without parameters",
	"context":     "write [] for a run without context",
	"constraints": "write {} for a run without constraints",
}

const digestNull = "write the digits, or leave the member out; a digest without any is left out as a whole"

// promptHint is for a member of a prompt that is null.
func promptHint(prompt jsontree.Value) string {
	for _, m := range prompt.Members() {
		if m.Kind() != jsontree.Null {
			return leaveOut
		}
	}
	return "leave the member out: {} is for a run without a prompt"
}

// memberHint is for a member of an open object at the checker's path.
func (c *checker) memberHint() string {
	if len(c.path) == 2 && c.path[1].name != nil {
		switch c.path[0].String() {
		case "parameters", "constraints":
			return leaveOut
		}
	}
	switch string(c.path[len(c.path)-1].name) {
	case "const":
		return constNull
	case "default":
		return defaultNull
	case "type":
		return typeNull
	}
	return freeMember
}

// elementHint is for an element of an array in an open object.
func (c *checker) elementHint() string {
	if string(c.path[len(c.path)-2].name) == "type" {
		return typeElement
	}
	return freeElement
}

// wordHint is for a word that other languages have for null, where it stands in JSON text.
func wordHint(m jsonmend.Mistake) string {
	hint, ok := declarationNulls[strings.TrimPrefix(m.Pointer, "/")]
	switch {
	case ok:
		return hint
	case m.IsElement:
		return "null is refused, too; " + freeElement
	}
	return "leave the member out: null is refused, too"
}

// spelling says how null is written in YAML, where that is not plain to see.
func spelling(doc *yamljson.Document, pointer string) string {
	text, isElement, ok := doc.NullText(pointer)
	switch {
	case !ok || text == "null":
		return ""
	case text != "":
		return ": " + text + " without quotes is null in YAML"
	case isElement:
		return ": an element without a value is null in YAML"
	}
	return ": a key without a value is null in YAML"
}
