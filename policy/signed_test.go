package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/signer"
)

func claimOf(t *testing.T, p *Policy) *attest.Claim {
	t.Helper()
	claim, err := p.Statement()
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

func signedClaim(t *testing.T, claim *attest.Claim, by signer.Signer) []byte {
	t.Helper()
	b, err := attest.Sign(ctx, claim, by, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, b)
}

func TestLoadSigned(t *testing.T) {
	by, release := newSigner(t), newSigner(t)
	text, err := by.PublicKey().PEM()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write := func(path string, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(path, fmt.Appendf(nil, "schema: %s\nsigners: {keys: [{name: ci, key: %q}]}\n", Schema, text))
	p, err := Load(path, options)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "release", Key: release.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	var unsigned *UnsignedError
	if got, err := LoadSigned(ctx, path, verifier, options); got != nil || !errors.As(err, &unsigned) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not signed: %v, %v", got, err)
	}
	claim := claimOf(t, p)
	var refused *SignatureError
	for name, sign := range map[string]func() []byte{
		"by a signer of runs": func() []byte { return signedClaim(t, claim, by) }, // a policy cannot vouch for its own signature
		"malformed":           func() []byte { return []byte("{}") },
		"of another policy":   func() []byte { return signedClaim(t, claimOf(t, policyOf(t, by, "kinds: [agent]\n")), release) },
	} {
		write(path+SignatureSuffix, sign())
		got, err := LoadSigned(ctx, path, verifier, options)
		if got != nil || !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), path+SignatureSuffix) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		var no *attest.VerificationError
		if errors.As(err, &no) {
			t.Errorf("%s: the error is taken for that of a run", name)
		}
	}
	write(path+SignatureSuffix, signedClaim(t, claim, release))
	if got, err := LoadSigned(ctx, path, verifier, options); err != nil || got.Digest() != p.Digest() {
		t.Errorf("signed: %v, %v", got, err)
	}
	if got, err := LoadSigned(ctx, path, nil, options); got != nil || err == nil {
		t.Error("without a verifier a policy is not signed")
	}
}
