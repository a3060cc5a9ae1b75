package runset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/vectors"
)

var ctx = context.Background()

// vector is an entry of testdata/vectors/run-set/index.json, which oracle.py there writes.
type vector struct {
	File        string
	Expect      string // "verified", "malformed", or the check that fails
	Root        string
	Size        uint64
	Index       uint64
	Head        string
	Identities  []string
	Annotations map[string]string
}

func vectorFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(vectors.Root(t), "vectors", "run-set", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func vectorIndex(t testing.TB) []vector {
	t.Helper()
	var all []vector
	if err := json.Unmarshal(vectorFile(t, "index.json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("%d vectors, want more", len(all))
	}
	return all
}

func vectorVerifier(t testing.TB) *attest.Verifier {
	t.Helper()
	trust, err := attest.TrustKeyFiles(filepath.Join(vectors.Root(t), "vectors", "run-set", "signer.pub"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// detachedDeclaration is the declaration of the vectors' detached run.
func detachedDeclaration(t testing.TB) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse(vectorFile(t, "detached-declaration.json"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestVectors(t *testing.T) {
	v := vectorVerifier(t)
	d := detachedDeclaration(t)
	for _, want := range vectorIndex(t) {
		t.Run(want.File, func(t *testing.T) {
			data := vectorFile(t, want.File)
			if strings.HasSuffix(want.File, ".runset.jsonl") {
				checkSetVector(t, v, d, data, want)
			} else {
				checkProofVector(t, v, d, data, want)
			}
		})
	}
}

func checkSetVector(t *testing.T, v *attest.Verifier, d *identity.Declaration, data []byte, want vector) {
	var ids []string
	given := 0
	set, err := Open(bytes.NewReader(data))
	var r *Result
	if err == nil {
		r, err = Verify(ctx, v, set, VerifyOptions{
			Declaration: func(id identity.ID) (*identity.Declaration, error) {
				if id == d.ID() {
					return d, nil
				}
				return nil, nil
			},
			Each: func(index uint64, run attest.Report) error {
				if given++; run.Verified {
					ids = append(ids, run.Identity.String())
					if in := run.Set; in == nil || in.Index != index || fmt.Sprintf("%x", in.Head.Root) != want.Root && want.Expect == "verified" {
						t.Errorf("run %d is %v", index, in)
					}
				}
				return nil
			},
		})
	}
	if want.Expect == "malformed" {
		if line := (*LineError)(nil); !errors.As(err, &line) || !errors.Is(err, attest.ErrMalformed) {
			t.Fatalf("error %v, want a LineError", err)
		}
		if given > 0 {
			t.Errorf("%d runs were given", given)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if want.Expect != "verified" {
		checkRefused(t, r.Report, want.Expect)
		if r.Verified || want.Expect == "inclusion" && given > 0 {
			t.Errorf("verified %t, and %d runs were given", r.Verified, given)
		}
		return
	}
	if !r.Verified || !r.Report.Verified || fmt.Sprintf("%x", r.Head.Root) != want.Root || r.Head.Size != want.Size {
		t.Errorf("verified %t, root %x, size %d; %v", r.Verified, r.Head.Root, r.Head.Size, r.Report.Checks)
	}
	if strings.Join(ids, " ") != strings.Join(want.Identities, " ") {
		t.Errorf("runs %v, want %v", ids, want.Identities)
	}
	if got := fmt.Sprintf("%x", sha256of(r.Head.Bytes())); got != want.Head {
		t.Errorf("head %s hashes to %s, want %s", r.Head.Bytes(), got, want.Head)
	}
	if !maps.Equal(r.Head.Annotations, want.Annotations) {
		t.Errorf("annotations %v, want %v", r.Head.Annotations, want.Annotations)
	}
	compareProofs(t, data, want)
}

// compareProofs holds the proofs that are made of a set against those of the vectors.
func compareProofs(t *testing.T, data []byte, want vector) {
	set, err := Open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	index := 0
	for proof, err := range set.Proofs(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := proof.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		alone, err := set.Prove(ctx, uint64(index))
		if err != nil {
			t.Fatal(err)
		}
		if other, err := alone.Marshal(); err != nil || !bytes.Equal(text, other) {
			t.Errorf("Prove(%d) gives %s, %v\nand Proofs gives %s", index, other, err, text)
		}
		name := fmt.Sprintf("%s-%d.runproof.json", strings.TrimSuffix(want.File, ".runset.jsonl"), index)
		if file, err := os.ReadFile(filepath.Join(vectors.Root(t), "vectors", "run-set", name)); err == nil && want.File != "spaced.runset.jsonl" {
			if !bytes.Equal(append(text, '\n'), file) {
				t.Errorf("%s: is %s\nwant %s", name, text, file)
			}
		}
		index++
	}
	if index != int(want.Size) {
		t.Errorf("%d proofs, want %d", index, want.Size)
	}
}

func checkProofVector(t *testing.T, v *attest.Verifier, d *identity.Declaration, data []byte, want vector) {
	b, err := attest.ParseBundle(data)
	if want.Expect == "malformed" {
		if !errors.Is(err, attest.ErrMalformed) {
			t.Fatalf("error %v, want ErrMalformed", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var expect attest.Expect
	if s, err := b.UnverifiedStatement(); err == nil && s.Ref != nil && s.Identity == d.ID() {
		expect.Declaration = d
	}
	run, err := v.Verify(ctx, b, expect)
	if want.Expect != "verified" {
		no := (*attest.VerificationError)(nil)
		if !errors.As(err, &no) || run != nil {
			t.Fatalf("%v, %v; want a no", run, err)
		}
		checkRefused(t, no.Report, want.Expect)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	in := run.InSet()
	if run.ID().String() != want.Identities[0] || in == nil || in.Index != want.Index || in.Head.Size != want.Size || fmt.Sprintf("%x", in.Head.Root) != want.Root {
		t.Errorf("%s, %v, want %+v", run.ID(), in, want)
	}
	if _, err := v.VerifyClaim(ctx, b, attest.RunSetType); err == nil {
		t.Error("a proof is verified as a claim")
	}
	if _, err := v.VerifySetHead(ctx, b); err == nil {
		t.Error("a proof is verified as the bundle of a set")
	}
}

// checkRefused finds that the first check that failed is the one expected.
func checkRefused(t *testing.T, r attest.Report, want string) {
	t.Helper()
	failed := r.Failed()
	if r.Verified || len(failed) == 0 || string(failed[0].Name) != want || failed[0].Code == evidence.CodeUnspecified {
		t.Errorf("verified %t, failed %v, want %s", r.Verified, failed, want)
	}
}
