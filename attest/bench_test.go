package attest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	bundlepb "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/vectors"
	"github.com/runattest/runattest/signer"
)

// BenchmarkVerify shows what a verification of a declaration of about 2 KB costs, and what
// of it is the signature check: rest/check is everything else in units of that check.
func BenchmarkVerify(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(vectors.Root(b), "declarations", "openai-tools.json"))
	if err != nil {
		b.Fatal(err)
	}
	d, err := identity.Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range signer.Algorithms() {
		b.Run(string(a), func(b *testing.B) {
			key := newSigner(b, a)
			s, err := New(d, StatementOptions{})
			if err != nil {
				b.Fatal(err)
			}
			bundle := signed(b, s, key, SigstoreBundle)
			text, err := bundle.Marshal()
			if err != nil {
				b.Fatal(err)
			}
			verifier := trusting(b, key)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				parsed, err := ParseBundle(text)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := verifier.Verify(ctx, parsed, Expect{}); err != nil {
					b.Fatal(err)
				}
			}
			all := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			start := time.Now()
			for range b.N { // the check alone, as often as the whole
				if err := key.PublicKey().Verify(bundle.envelope(0).Message(), bundle.signatures[0].bytes); err != nil {
					b.Fatal(err)
				}
			}
			check := float64(time.Since(start).Nanoseconds()) / float64(b.N)
			b.ReportMetric(check, "check-ns/op")
			b.ReportMetric(all/check-1, "rest/check")
		})
	}
}

// BenchmarkParseBundle compares reading a bundle strictly with Sigstore's own reading of it.
func BenchmarkParseBundle(b *testing.B) {
	text, err := signed(b, newStatement(b, StatementOptions{}), newSigner(b, signer.Ed25519), SigstoreBundle).Marshal()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("strict", func(b *testing.B) {
		for b.Loop() {
			if _, err := ParseBundle(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("protojson", func(b *testing.B) {
		for b.Loop() {
			if err := protojson.Unmarshal(text, &bundlepb.Bundle{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
