package runset

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
)

// Whatever a file holds, a set is verified only if its lines are those of a vector, in another spelling at most.
func FuzzSet(f *testing.F) {
	known := map[string]bool{}
	for _, v := range vectorIndex(f) {
		if !strings.HasSuffix(v.File, ".runset.jsonl") {
			continue
		}
		data := vectorFile(f, v.File)
		f.Add(data)
		if v.Expect == "verified" {
			known[v.Root] = true
		}
	}
	verifier := vectorVerifier(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Open(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, attest.ErrMalformed) {
				t.Fatalf("%v is not ErrMalformed", err)
			}
			return
		}
		runs := uint64(0)
		var broken error
		for _, err := range s.UnverifiedRuns() {
			if broken = err; err == nil {
				runs++
			}
		}
		r, err := Verify(ctx, verifier, s, VerifyOptions{})
		if err != nil || !r.Verified {
			return
		}
		if broken != nil || runs != r.Head.Size || !known[hexOf(r.Head.Root)] {
			t.Fatalf("verified: %+v, %d runs, %v", r, runs, broken)
		}
		proofs := uint64(0)
		for proof, err := range s.Proofs(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			run, err := verifier.Verify(ctx, proof, attest.Expect{})
			if err != nil || run.InSet().Index != proofs {
				t.Fatalf("proof %d: %v", proofs, err)
			}
			proofs++
		}
		if proofs != runs {
			t.Fatalf("%d proofs of %d runs", proofs, runs)
		}
	})
}

// A proof is verified only for a run of a vector, and what is written is read again as it was.
func FuzzProof(f *testing.F) {
	known := map[string]bool{}
	for _, v := range vectorIndex(f) {
		if !strings.HasSuffix(v.File, ".runproof.json") {
			continue
		}
		f.Add(vectorFile(f, v.File))
		if v.Expect == "verified" {
			known[v.Root+v.Identities[0]] = true
		}
	}
	verifier := vectorVerifier(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := attest.ParseBundle(data)
		if err != nil {
			return
		}
		text, err := b.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := attest.ParseBundle(text)
		if err != nil {
			t.Fatalf("what is written cannot be read: %v\n%s", err, text)
		}
		if other, err := again.Marshal(); err != nil || !bytes.Equal(text, other) {
			t.Fatalf("written again: %v\n%s\n%s", err, text, other)
		}
		if run, err := verifier.Verify(ctx, b, attest.Expect{}); err == nil && !known[hexOf(run.InSet().Head.Root)+run.ID().String()] {
			t.Fatalf("verified: %s", text)
		}
	})
}
