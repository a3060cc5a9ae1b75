package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/runattest/runattest/policy"
)

// TestUnseenIsSaidOnce: a character that is not seen is one problem, in a rule and in a name.
func TestUnseenIsSaidOnce(t *testing.T) {
	for _, text := range []string{
		`{"schema":"https://github.com/runattest/runattest/policy/v1","rules":[{"name":"a","expr":"declaration.model.name != 'm` + "\u200b" + `'"}]}`,
		`{"schema":"https://github.com/runattest/runattest/policy/v1","rules":[{"name":"a","expr":"true // m` + "\u200b" + `"}]}`,
		`{"schema":"https://github.com/runattest/runattest/policy/v1","description":"m` + "\u200b" + `"}`,
	} {
		_, err := policy.Parse([]byte(text), policy.Options{})
		var invalid *policy.InvalidError
		n := 0
		if errors.As(err, &invalid) {
			for _, p := range invalid.Problems {
				if strings.Contains(p.Message, "U+200B is not seen") {
					n++
				}
			}
		}
		if n != 1 {
			t.Errorf("%s: %d problems, want 1: %v", text, n, err)
		}
	}
}
