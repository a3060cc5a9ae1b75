package store

import (
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestUnmarshalSaysWhere: what is of the wrong type is named as JSON calls it.
func TestUnmarshalSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		`[]`: "it is of type array, want object",
		`{"manifests":[{"annotations":{"a":1}}]}`: "manifests.annotations is of type number, want string",
		`{"schemaVersion":"2"}`:                   "schemaVersion is of type string, want whole number",
		`{"manifests":[{"data":1}]}`:              "manifests.data is of type number, want string",
	} {
		var index ocispec.Index
		if err := Unmarshal([]byte(text), &index); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
