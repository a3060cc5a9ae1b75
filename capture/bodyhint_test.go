package capture

import (
	"errors"
	"strings"
	"testing"
)

// TestBodyHints: a body that is not JSON has hints for a body, and none for a declaration's file.
func TestBodyHints(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1} // c`:       "remove all comments, and commas before } and ], from a copy of the file, and give that",
		`{"a":1 /* c */}`:    "remove all comments, and commas before } and ], from a copy of the file, and give that",
		`{"a":[1,]}`:         "remove all comments, and commas before } and ], from a copy of the file, and give that",
		`{"a":1,}`:           "remove all comments, and commas before } and ], from a copy of the file, and give that",
		`{,"a":1}`:           "remove it, or write what it separates",
		`{"a":1}{"b":2}`:     "give one body at a time",
		`{"a":1},{"b":2}`:    "give one body at a time",
		`{"a":1e999}`:        "write a number that a double holds, as the API reads it",
		`{"a" "b"}`:          "write it between the two",
		"model: gpt\nx: 1\n": "",
	} {
		_, err := parseBody([]byte(body))
		var e *Error
		if !errors.As(err, &e) || strings.Contains(e.Hint, "YAML has") || strings.Contains(e.Hint, ".jsonl") || strings.Contains(e.Hint, ".yaml") || want != "" && e.Hint != want {
			t.Errorf("%s: %v, want hint %q", body, err, want)
		}
	}
}

func parseBody(body []byte) (any, error) { return parse("f", reading, body) }
