package remote

import (
	"strings"
	"testing"
)

// TestWithoutCredentials: on some systems there is no place for them without a home.
func TestWithoutCredentials(t *testing.T) {
	s := &credentialSource{host: "registry.acme.example"}
	for want, files := range map[string][]string{
		"no place for credentials is known": nil, "a/b, which does not exist": {"a/b"}, "a, b, none of which": {"a", "b"},
	} {
		if got := s.without(files); !strings.Contains(got, want) {
			t.Errorf("%q: %s", files, got)
		}
	}
}
