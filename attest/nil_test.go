package attest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

// TestErrSignature holds that a caller can tell a signature that no trusted key made from another no.
func TestErrSignature(t *testing.T) {
	ctx := context.Background()
	d, err := identity.Parse([]byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	statement, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []signer.Signer
	for range 2 {
		key := keytest.New(t, signer.ECDSAP256)
		keys = append(keys, key)
	}
	bundle, err := attest.Sign(ctx, statement, keys[0], attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: key.PublicKey()})
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := attest.NewVerifier(trust)
		if err != nil {
			t.Fatal(err)
		}
		_, err = verifier.Verify(ctx, bundle, attest.Expect{Identity: new(identity.ID)}) // never that run
		if err == nil || errors.Is(err, signer.ErrSignature) != (i == 1) {
			t.Errorf("key %d: %v", i, err)
		}
	}
}
