package main

import (
	"testing"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/gateway"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/policy"
)

// TestKinds: package input, which imports neither package, knows the schemas of declarations and policies.
func TestKinds(t *testing.T) {
	for schema, want := range map[string]string{identity.Schema: input.KindDeclaration, policy.Schema: input.KindPolicy, gateway.Schema: input.KindGateway} {
		if got := files.Kind([]byte("schema: " + schema)); got != want {
			t.Errorf("%s: %q, want %q", schema, got, want)
		}
	}
}
