package attest_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// TestFilesAreNamed: what is wrong with a file is said with its name, and as the type that a caller branches on.
func TestFilesAreNamed(t *testing.T) {
	dir := exampleFolder()
	defer os.RemoveAll(dir)
	in := func(name string) string { return filepath.Join(dir, name) }
	ctx := context.Background()
	key, err := signer.Load(ctx, in("prod.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.TrustKeyFiles(in("prod.pub"))
	if err != nil {
		t.Fatal(err)
	}
	var invalid *identity.InvalidError
	var refused *attest.VerificationError

	_, err = attest.SignFile(ctx, in("prod.key"), key, attest.SignOptions{})
	if !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), in("prod.key")+": ") {
		t.Errorf("sign: got %v", err)
	}
	if _, err = attest.SignFile(ctx, in("absent"), key, attest.SignOptions{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), in("absent")) {
		t.Errorf("sign: got %v", err)
	}
	if _, err = attest.VerifyFile(ctx, in("run.json"), trust, attest.Expect{}); !errors.Is(err, attest.ErrMalformed) || !strings.HasPrefix(err.Error(), in("run.json")+": ") {
		t.Errorf("verify: got %v", err)
	}
	if _, err = attest.VerifyFile(ctx, in("signed.sigstore.json"), nil, attest.Expect{}); !errors.Is(err, attest.ErrNoTrust) {
		t.Errorf("verify: got %v", err)
	}
	if v, err := attest.VerifyFile(ctx, in("signed.sigstore.json"), trust, attest.Expect{}); err != nil || v.Signer().Name != in("prod.pub") {
		t.Errorf("verify: got %v, %v", v.Signer(), err)
	}
	stranger, err := attest.TrustKeyFiles(in("staging.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := attest.VerifyFile(ctx, in("signed.sigstore.json"), stranger, attest.Expect{}); v != nil || !errors.As(err, &refused) {
		t.Errorf("verify: got %v, %v", v, err)
	}
	if _, err = attest.TrustKeyFiles(); !errors.Is(err, attest.ErrNoTrust) {
		t.Errorf("trust: got %v", err)
	}
	if _, err = attest.TrustKeyFiles(in("prod.pub"), in("run.json")); err == nil || !strings.HasPrefix(err.Error(), in("run.json")+": ") {
		t.Errorf("trust: got %v", err)
	}
	if _, err = attest.TrustKeyFiles(in("prod.pub"), in("prod.pub")); err == nil || !strings.Contains(err.Error(), "are one key") {
		t.Errorf("trust: got %v", err)
	}
}
