package sigstore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/internal/testing/vectors"
	"github.com/runattest/runattest/signer"
)

// BenchmarkBesideLibrary verifies one bundle with this module and with sigstore-go's verifier, which knows nothing of
// identities: both read it from text, with a verifier that is made already.
func BenchmarkBesideLibrary(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(vectors.Root(b), "declarations", "openai-tools.json"))
	if err != nil {
		b.Fatal(err)
	}
	d, err := identity.Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	statement, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range []signer.Algorithm{signer.ECDSAP256, signer.Ed25519} {
		key := keytest.New(b, a)
		made, err := attest.Sign(b.Context(), statement, key, attest.SignOptions{})
		if err != nil {
			b.Fatal(err)
		}
		text, err := made.Marshal()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(a)+"/runattest", func(b *testing.B) { benchmarkOurs(b, text, key.PublicKey()) })
		b.Run(string(a)+"/sigstore-go", func(b *testing.B) { benchmarkLibrary(b, text, key.PublicKey()) })
	}
}

func benchmarkOurs(b *testing.B, text []byte, key *signer.PublicKey) {
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "key", Key: key})
	if err != nil {
		b.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		parsed, err := attest.ParseBundle(text)
		if err == nil {
			_, err = verifier.Verify(b.Context(), parsed, attest.Expect{})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkLibrary(b *testing.B, text []byte, key *signer.PublicKey) {
	check, err := signature.LoadDefaultVerifier(key.Public())
	if err != nil {
		b.Fatal(err)
	}
	material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return &root.ExpiringKey{Verifier: check}, nil
	})
	verifier, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps())
	if err != nil {
		b.Fatal(err)
	}
	policy := verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithKey())
	b.ReportAllocs()
	for b.Loop() {
		parsed := &bundle.Bundle{}
		err := parsed.UnmarshalJSON(text)
		if err == nil {
			_, err = verifier.Verify(parsed, policy)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
