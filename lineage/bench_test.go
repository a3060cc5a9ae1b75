package lineage

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// BenchmarkBuild verifies lineages whose bundles are signed with ECDSA P-256, the default, and
// says what a run costs in time and in memory that the graph keeps.
func BenchmarkBuild(b *testing.B) {
	for _, shape := range []struct {
		name    string
		parents func(r *rand.Rand, before []identity.ID) []identity.ID
	}{
		{"chain", func(_ *rand.Rand, before []identity.ID) []identity.ID { return before[max(0, len(before)-1):] }},
		{"star", func(_ *rand.Rand, before []identity.ID) []identity.ID { return before[:min(1, len(before))] }},
		{"dag", func(r *rand.Rand, before []identity.ID) []identity.ID {
			var parents []identity.ID
			for range min(r.IntN(5), len(before)) {
				if p := before[r.IntN(len(before))]; !slices.Contains(parents, p) {
					parents = append(parents, p)
				}
			}
			return parents
		}},
	} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", shape.name, n), func(b *testing.B) {
				f := newLineage(b, "alice")
				f.by = newSigner(b, signer.ECDSAP256)
				f.clock.key.Key = f.by.PublicKey()
				r := rand.New(rand.NewPCG(1, 2))
				var before []identity.ID
				for i := range n {
					before = append(before, f.run(i, shape.parents(r, before)))
				}
				clear(f.clock.times)
				benchmarkBuild(b, f, n)
			})
		}
	}
}

func benchmarkBuild(b *testing.B, f *lineage, n int) {
	var g *Graph
	before := heap()
	b.ResetTimer()
	for b.Loop() {
		g = f.build(Options{})
	}
	b.StopTimer()
	kept := heap() - before
	runtime.KeepAlive(f) // the input is not a part of what is kept
	if c := g.Counts(); c.Verified != n || c.Missing != 0 {
		b.Fatalf("%+v", c)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/run")
	b.ReportMetric(float64(kept)/float64(n), "B/run")
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
