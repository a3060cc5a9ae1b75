package capture

import "testing"

// TestNamesUnknown: every name that a capture reports is one that a list of known names can have, and what no capture reports is none.
func TestNamesUnknown(t *testing.T) {
	seen := map[string]bool{}
	for v := range capturedVectors(t) {
		for _, u := range v.c.Unknown {
			if seen[u.Name] = true; !NamesUnknown(u.Name) {
				t.Errorf("%s: %q is reported and cannot be known", v.Name, u.Name)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d names, want at least 10", len(seen))
	}
	for _, name := range []string{"member", "member top_k", "member a b", "part video", "flag x-2026-01-01", "tool without type"} {
		if !NamesUnknown(name) {
			t.Errorf("%q cannot be known", name)
		}
	}
	for _, name := range []string{"", " ", "top_k", "members top_k", "Member top_k", "member top_k ", "parts video", "block text", "flag", "flag ", "flag a,b", "flag oauth-2025-04-20",
		"flag " + anthropicFlag(t), "header:anthropic-beta", "interface", "interface x", "resource tool x", "message x", "setting header:x", "text that is not compact JSON"} {
		if NamesUnknown(name) {
			t.Errorf("%q can be known, and no capture reports it", name)
		}
	}
}

// anthropicFlag is a flag that the one table with flags knows.
func anthropicFlag(t *testing.T) string {
	t.Helper()
	for _, h := range anthropicMessages1().headers {
		if h.set && len(h.known) > 0 {
			return h.known[0]
		}
	}
	t.Fatal("the table has no flags")
	return ""
}
