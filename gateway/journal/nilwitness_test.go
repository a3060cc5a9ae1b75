package journal

import (
	"context"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
)

// TestNilWitness: a nil pointer that was given for a witness is an error, and no panic of a goroutine later.
func TestNilWitness(t *testing.T) {
	var none *WitnessFolder
	sign := func(context.Context, attest.Signable) (*attest.Bundle, error) { return nil, nil }
	if _, err := Open(t.TempDir(), Options{Sign: sign, Witness: none}); err == nil || !strings.Contains(err.Error(), "Witness is a nil") {
		t.Errorf("Open: %v", err)
	}
	if _, err := Verify(context.Background(), new(attest.Verifier), t.TempDir(), VerifyOptions{Witness: none}); err == nil || !strings.Contains(err.Error(), "Witness is a nil") {
		t.Errorf("Verify: %v", err)
	}
}
