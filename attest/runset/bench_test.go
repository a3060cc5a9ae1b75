package runset

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/settree"
	"github.com/runattest/runattest/internal/testing/cputime"
)

const benchRuns = 1000

// kilobyte is a run whose Statement has about a kilobyte.
func kilobyte(b *testing.B) *attest.Statement {
	b.Helper()
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"inference","model":{"name":"m"},"prompt":{"text":%q},"parameters":{"temperature":0.7},"context":[],"constraints":{}}`,
		identity.Schema, strings.Repeat("a question ", 35)))
	if err != nil {
		b.Fatal(err)
	}
	s, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func repeat(s *attest.Statement) func() iter.Seq2[*attest.Statement, error] {
	return func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for range benchRuns {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// perSecond reports the rate by the clock, and that by the time on processors since start.
func perSecond(b *testing.B, start time.Duration) {
	b.ReportMetric(float64(b.N)*benchRuns/b.Elapsed().Seconds(), "runs/s")
	b.ReportMetric(float64(b.N)*benchRuns/(cputime.Used()-start).Seconds(), "runs/cpu-s")
}

// BenchmarkLeaves is the tree alone: a salt, a leaf and its share of the nodes.
func BenchmarkLeaves(b *testing.B) {
	text := kilobyte(b).Bytes()
	b.SetBytes(int64(len(text) * benchRuns))
	start := cputime.Used()
	for b.Loop() {
		tree := settree.NewBuilder(settree.Hash{})
		for range benchRuns {
			if _, err := tree.Add(text); err != nil {
				b.Fatal(err)
			}
		}
	}
	perSecond(b, start)
}

// BenchmarkWrite signs a set whose Statements are made already.
func BenchmarkWrite(b *testing.B) {
	d := newDesk(b)
	s := kilobyte(b)
	var file bytes.Buffer
	start := cputime.Used()
	for b.Loop() {
		file.Reset()
		if _, err := Write(ctx, &file, repeat(s), d.options); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, start)
}

// BenchmarkVerify gives one answer for a set, which is read once, and BenchmarkVerifyEach a report of each run, for which it is
// read twice.
func BenchmarkVerify(b *testing.B) { benchmarkVerify(b, VerifyOptions{}) }

func BenchmarkVerifyEach(b *testing.B) {
	benchmarkVerify(b, VerifyOptions{Each: func(uint64, attest.Report) error { return nil }})
}

func benchmarkVerify(b *testing.B, o VerifyOptions) {
	d := newDesk(b)
	var file bytes.Buffer
	if _, err := Write(ctx, &file, repeat(kilobyte(b)), d.options); err != nil {
		b.Fatal(err)
	}
	set := open(b, file.Bytes())
	start := cputime.Used()
	for b.Loop() {
		if r, err := Verify(ctx, d.verifier, set, o); err != nil || !r.Verified {
			b.Fatal(r, err)
		}
	}
	perSecond(b, start)
}

// BenchmarkProof verifies the proof of one run, most of which is its signature.
func BenchmarkProof(b *testing.B) {
	d := newDesk(b)
	var file bytes.Buffer
	if _, err := Write(ctx, &file, repeat(kilobyte(b)), d.options); err != nil {
		b.Fatal(err)
	}
	proof, err := open(b, file.Bytes()).Prove(ctx, benchRuns/2)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.verifier.Verify(ctx, proof, attest.Expect{}); err != nil {
			b.Fatal(err)
		}
	}
}
