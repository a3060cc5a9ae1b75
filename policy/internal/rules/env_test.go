package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/runattest/runattest/identity"
)

// TestDeclarationMembers holds what rules know of declarations to the declaration's JSON Schema.
func TestDeclarationMembers(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(identity.JSONSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	for name, properties := range map[string]map[string]any{
		"Declaration": schema.Properties, "Model": schema.Defs["model"].Properties,
		"Resource": schema.Defs["resource"].Properties, "Digest": schema.Defs["digest"].Properties,
	} {
		want, got := slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(objects()[name]))
		if len(want) == 0 || !slices.Equal(want, got) {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
	}
}
