// Package keytest makes signers for tests.
package keytest

import (
	"testing"

	"github.com/runattest/runattest/signer"
)

// New is the signer of a new key.
func New(t testing.TB, a signer.Algorithm) signer.Signer {
	t.Helper()
	pair, err := signer.Generate(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	by, err := signer.Parse(pair.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	return by
}
