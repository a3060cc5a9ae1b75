//go:build !race

package attest

import (
	"runtime"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

// TestVerifyAllocations bounds what a verification of a declaration of 2 KB allocates, all but the signature check's own:
// Ed25519 has none. The race detector has pools forget.
func TestVerifyAllocations(t *testing.T) {
	const most = 12
	key := newSigner(t, signer.Ed25519)
	s, err := New(twoKilobytes(t), StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed(t, s, key, SigstoreBundle).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	verifier := trusting(t, key)
	got := testing.AllocsPerRun(100, func() {
		b, err := ParseBundle(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(ctx, b, Expect{}); err != nil {
			t.Fatal(err)
		}
	})
	if got > most {
		t.Errorf("%v allocations, want at most %d", got, most)
	}
}

// TestDetachedAllocations: a Statement with a declarationRef takes no room for the declaration.
func TestDetachedAllocations(t *testing.T) {
	d := parse(t, strings.Replace(declarationText, `"parameters":{`, `"parameters":{"x":"`+strings.Repeat("x", 1<<20)+`",`, 1))
	const runs = 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		if _, err := New(d, StatementOptions{Detached: &DeclarationRef{}}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / runs; got > 64<<10 {
		t.Errorf("%d bytes are allocated for a declaration of %d, want at most 65536", got, d.Size())
	}
}
