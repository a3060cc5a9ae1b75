// Package bundletest makes bundles for tests outside package attest.
package bundletest

import (
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// Sign is the bundle of what by signs.
func Sign(t testing.TB, by signer.Signer, s attest.Signable) *attest.Bundle {
	t.Helper()
	b, err := attest.Sign(t.Context(), s, by, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Run is the bundle of the run that a declaration declares.
func Run(t testing.TB, by signer.Signer, d *identity.Declaration, o attest.StatementOptions) *attest.Bundle {
	t.Helper()
	s, err := attest.New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return Sign(t, by, s)
}

// Declare reads a declaration in JSON.
func Declare(t testing.TB, text string) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Text is the bundle as it is written.
func Text(t testing.TB, b *attest.Bundle) []byte {
	t.Helper()
	text, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
