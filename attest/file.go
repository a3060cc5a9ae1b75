package attest

import (
	"context"
	"fmt"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// SignFile signs the declaration in a file, JSON or YAML as identity.ParseFile tells them apart. It writes nothing:
// (*Bundle).WriteFile does. New and Sign are for statements with artifacts, annotations or a detached declaration.
func SignFile(ctx context.Context, path string, by signer.Signer, o SignOptions) (*Bundle, error) {
	d, err := identity.ParseFile(path)
	if err != nil {
		return nil, err
	}
	statement, err := New(d, StatementOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return Sign(ctx, statement, by, o)
}

// VerifyFile verifies the one bundle in a file against the signers that trust accepts. Its error is that of ParseBundle,
// which wraps ErrMalformed, with the file's name; or that of (*Verifier).Verify: a *VerificationError where the answer is no.
func VerifyFile(ctx context.Context, path string, trust Trust, want Expect) (*Verified, error) {
	verifier, err := NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	data, err := boundedfile.Read(path, limits.Bundle)
	if err != nil {
		return nil, err
	}
	b, err := ParseBundle(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return verifier.Verify(ctx, b, want)
}

// TrustKeyFiles is TrustKeys for files of one public key each, PEM or OpenSSH as signer.ParsePublicKey reads them. Reports
// call each key by the name of its file.
func TrustKeyFiles(paths ...string) (Trust, error) {
	var keys []TrustedKey
	for _, path := range paths {
		data, err := boundedfile.Read(path, limits.Key)
		if err != nil {
			return nil, err
		}
		key, err := signer.ParsePublicKey(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		keys = append(keys, TrustedKey{Name: path, Key: key})
	}
	return TrustKeys(keys...)
}

// WriteFile writes the bundle and a newline to a file, whole or not at all; it replaces a file of that name. By custom the
// name of the bundle of run.json is run.json.sigstore.json.
func (b *Bundle) WriteFile(path string) error {
	data, err := b.Marshal()
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(data, '\n'), 0o644)
}
