package journal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/testing/vectors"
)

// vector is a journal of testdata/vectors/journal, which oracle.py there writes.
type vector struct {
	Expect                        string // verified, or what says no: line, segment or journal
	Files                         map[string]string
	Receipts                      []string
	Lines, Erased, Open, Unsigned int
}

func vectorVerifier(t testing.TB) *attest.Verifier {
	t.Helper()
	trust, err := attest.TrustKeyFiles(filepath.Join(vectors.Root(t), "vectors", "journal", "signer.pub"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func vectorsByName(t testing.TB) map[string]vector {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(vectors.Root(t), "vectors", "journal", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]vector{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[filepath.Base(name)] = v
	}
	if len(all) < 50 {
		t.Fatalf("%d vectors, want more", len(all))
	}
	return all
}

func (v vector) write(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range v.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestVectors(t *testing.T) {
	verifier := vectorVerifier(t)
	for name, v := range vectorsByName(t) {
		t.Run(name, func(t *testing.T) {
			var o VerifyOptions
			for _, text := range v.Receipts {
				r, err := ParseReceipt(text)
				if err != nil {
					t.Fatal(err)
				}
				o.Receipts = append(o.Receipts, r)
			}
			damaged := false
			var first error
			o.Segment = func(s SegmentResult) error {
				if !s.Verified && first == nil {
					first = s.Damage
				}
				damaged = damaged || s.Damage != nil || s.Closed && !s.Report.Verified
				return nil
			}
			r, err := Verify(ctx, verifier, v.write(t), o)
			if err != nil {
				t.Fatal(err)
			}
			got := "verified"
			switch {
			case r.Verified:
			case damaged:
				got = "segment"
			case r.Refused > 0:
				got = "line"
			case len(r.Problems) > 0:
				got = "journal"
			}
			if got != v.Expect || r.Verified != (v.Expect == "verified") {
				t.Fatalf("%s, want %s: %+v, %v", got, v.Expect, r, first)
			}
			if r.Verified && (r.Lines != v.Lines || r.Erased != v.Erased || r.Open != v.Open || r.Unsigned != v.Unsigned) {
				t.Errorf("%+v, want %+v", r.Counts, v)
			}
		})
	}
}

// What a gateway writes verifies as the vectors do: an open journal of theirs goes on.
func TestVectorGoesOn(t *testing.T) {
	d := newDesk(t)
	dir := vectorsByName(t)["open.json"].write(t)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	j, err := Open(dir, d.options)
	if err != nil {
		t.Fatal(err)
	}
	if r := add(t, j, d.entry(t, 1, true)); r.Segment != 4 {
		t.Errorf("%s", r)
	}
	closeJournal(t, j)
}

// Whatever the files of a closed segment hold, only lines of a vector verify.
func FuzzSegment(f *testing.F) {
	verifier := vectorVerifier(f)
	all := vectorsByName(f)
	known := map[[32]byte]bool{}
	for _, v := range all {
		f.Add([]byte(v.Files["00000001.jsonl"]), []byte(v.Files["00000001.declarations.jsonl"]), []byte(v.Files["00000001.sigstore.json"]))
	}
	for _, v := range all {
		if v.Expect != "verified" {
			continue
		}
		_, err := Verify(ctx, verifier, v.write(f), VerifyOptions{Line: func(l LineResult) error { known[l.Digest] = true; return nil }})
		if err != nil {
			f.Fatal(err)
		}
	}
	id := all["one-line.json"].Files["journal.json"]
	f.Fuzz(func(t *testing.T, lines, declarations, bundle []byte) {
		v := vector{Files: map[string]string{"journal.json": id, "00000001.jsonl": string(lines), "00000001.declarations.jsonl": string(declarations), "00000001.sigstore.json": string(bundle)}}
		dir := v.write(t)
		r, err := Verify(ctx, verifier, dir, VerifyOptions{Line: func(l LineResult) error {
			if l.OK() && !known[l.Digest] {
				t.Errorf("line %d of a closed segment: %s", l.Number, lines)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "00000001.sigstore.json")); err != nil {
			t.Fatal(err)
		}
		open, err := Verify(ctx, verifier, dir, VerifyOptions{})
		if err != nil || r.Verified && !open.Verified && open.Unsigned != r.Lines {
			t.Fatalf("a segment that verifies with its bundle does not without: %+v, %v", open, err)
		}
		for l, err := range UnverifiedLines(dir) {
			if err == nil && l.Number < 1 {
				t.Fatalf("%+v", l)
			}
		}
	})
}
