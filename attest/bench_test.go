package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bundlepb "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/cputime"
	"github.com/runattest/runattest/internal/testing/vectors"
	"github.com/runattest/runattest/signer"
)

// twoKilobytes is a declaration of about that size.
func twoKilobytes(t testing.TB) *identity.Declaration {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(vectors.Root(t), "declarations", "openai-tools.json"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := identity.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// signedText is the bundle of a run, and as it is written, signed with a new key.
func signedText(b *testing.B, d *identity.Declaration, a signer.Algorithm) (signer.Signer, *Bundle, []byte) {
	b.Helper()
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
	return key, bundle, text
}

// BenchmarkVerify shows what a verification of a declaration of about 2 KB costs, and what
// of it is the signature check: rest/check is everything else in units of that check, by time on processors. Garbage is collected
// as often as in the command, by which package collectlater goes.
func BenchmarkVerify(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(500))
	d := twoKilobytes(b)
	for _, a := range signer.Algorithms() {
		b.Run(string(a), func(b *testing.B) {
			key, bundle, text := signedText(b, d, a)
			verifier := trusting(b, key)
			message, sig := bundle.envelope(0).Message(), bundle.signatures[0].bytes
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			var whole, check time.Duration // of the check alone, as often as the whole and in turns with it
			n, start := 0, cputime.Used()
			for b.Loop() {
				parsed, err := ParseBundle(text)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := verifier.Verify(ctx, parsed, Expect{}); err != nil {
					b.Fatal(err)
				}
				if n++; n%checksInTurn == 0 {
					whole += cputime.Used() - start
					b.StopTimer()
					check += checks(b, key.PublicKey(), message, sig)
					b.StartTimer() // which stops all goroutines, as StopTimer does
					start = cputime.Used()
				}
			}
			if check == 0 {
				return // too few to compare
			}
			b.ReportMetric(float64(check.Nanoseconds())/float64(n/checksInTurn*checksInTurn), "check-ns/op")
			b.ReportMetric(float64(whole)/float64(check)-1, "rest/check")
			b.ReportMetric(floor(b, text, bundle.payload), "floor-ns/op")
		})
	}
}

// checksInTurn is how many verifications, and then checks of signatures alone, take turns.
const checksInTurn = 64

// checks is how much time on a processor checksInTurn checks of a signature take.
func checks(b *testing.B, key *signer.PublicKey, message, sig []byte) time.Duration {
	start := cputime.Used()
	for range checksInTurn {
		if err := key.Verify(message, sig); err != nil {
			b.Fatal(err)
		}
	}
	return cputime.Used() - start
}

// floor is what no verification can do without, besides the signature check: base64, one pass over bundle and payload, and
// SHA-256 of the payload. It is in nanoseconds.
func floor(b *testing.B, text, payload []byte) float64 {
	encoded := base64.StdEncoding.AppendEncode(nil, payload)
	start := cputime.Used()
	for range b.N {
		decoded := make([]byte, len(payload))
		if _, err := base64.StdEncoding.Decode(decoded, encoded); err != nil {
			b.Fatal(err)
		}
		sum := sha256.Sum256(decoded)
		if bytes.IndexByte(text, 0) >= 0 || bytes.IndexByte(decoded, 0) >= 0 || sum == [sha256.Size]byte{} {
			b.Fatal("a zero")
		}
	}
	return float64((cputime.Used() - start).Nanoseconds()) / float64(b.N)
}

// BenchmarkVerifyMany verifies on all cores; of-raw is its rate in units of that of the signature check alone, on the same
// cores: package crypto's, with the message made already. of-raw-cpu is the same by the time on processors.
func BenchmarkVerifyMany(b *testing.B) {
	d := twoKilobytes(b)
	for _, a := range []signer.Algorithm{signer.ECDSAP256, signer.Ed25519} {
		b.Run(string(a), func(b *testing.B) {
			key, bundle, text := signedText(b, d, a)
			verifier := trusting(b, key)
			message, sig := bundle.envelope(0).Message(), bundle.signatures[0].bytes
			sum := sha256.Sum256(message)
			raw := func() bool {
				if public, ok := key.PublicKey().Public().(ed25519.PublicKey); ok {
					return ed25519.Verify(public, message, sig)
				}
				return ecdsa.VerifyASN1(key.PublicKey().Public().(*ecdsa.PublicKey), sum[:], sig)
			}
			whole := func() bool {
				parsed, err := ParseBundle(text)
				if err == nil {
					_, err = verifier.Verify(ctx, parsed, Expect{})
				}
				return err == nil
			}
			b.ReportAllocs()
			var all, alone taken
			b.ResetTimer()
			for left := b.N; left > 0; left -= manyInTurn { // in turns, since other programs come and go
				n := min(left, manyInTurn)
				all.add(onAllCores(b, n, whole))
				b.StopTimer()
				alone.add(onAllCores(b, n, raw))
				b.StartTimer()
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/all.clock.Seconds(), "verified/s")
			b.ReportMetric(float64(alone.clock)/float64(all.clock), "of-raw")
			b.ReportMetric(float64(alone.processors)/float64(all.processors), "of-raw-cpu")
		})
	}
}

// manyInTurn is how many verifications on all cores, and then checks of signatures alone, take turns.
const manyInTurn = 1024

// taken is time by the clock, and on processors.
type taken struct{ clock, processors time.Duration }

func (t *taken) add(more taken) {
	t.clock, t.processors = t.clock+more.clock, t.processors+more.processors
}

// onAllCores is how long n calls take if all cores call.
func onAllCores(b *testing.B, n int, call func() bool) taken {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	start, used := time.Now(), cputime.Used()
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if !call() {
					b.Error("not verified")
					return
				}
			}
		})
	}
	all.Wait()
	return taken{time.Since(start), cputime.Used() - used}
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
