package journal

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

// BenchmarkAppend writes lines from 64 goroutines at once, as a gateway with so many calls in flight does. The bundles are made
// before.
func BenchmarkAppend(b *testing.B) {
	d := newDesk(b)
	d.options.chunk = 0
	j := d.open(b)
	entries := make([]Entry, 64)
	for i := range entries {
		entries[i] = d.entry(b, i, true)
	}
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for i := 0; p.Next(); i++ {
			if _, err := j.Append(ctx, entries[i%len(entries)]); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkDisk writes the line of one call and its declaration of that size, and syncs both: in a row, and after 200 ms of rest,
// as a call of a quiet gateway finds the disk.
func BenchmarkDisk(b *testing.B) {
	for _, size := range []int{2_000, 500_000} {
		for _, c := range []struct {
			name string
			rest time.Duration
		}{{"row", 0}, {"rested", 200 * time.Millisecond}} {
			b.Run(fmt.Sprintf("%d/%s", size, c.name), func(b *testing.B) {
				f, err := newFiles(osDisk{}, b.TempDir(), limits.JournalChunk)
				if err != nil {
					b.Fatal(err)
				}
				defer f.close()
				line, declaration := bytes.Repeat([]byte("x"), 2_000), bytes.Repeat([]byte("x"), size)
				var waited time.Duration
				for b.Loop() {
					time.Sleep(c.rest)
					begun := time.Now()
					if err := f.append(line, declaration); err != nil {
						b.Fatal(err)
					}
					waited += time.Since(begun)
					if err := f.ahead(limits.JournalChunk); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(waited.Nanoseconds())/float64(b.N), "ns/op")
			})
		}
	}
}

// BenchmarkPrepare is what a call costs besides the disk.
func BenchmarkPrepare(b *testing.B) {
	d := newDesk(b)
	for _, detached := range []bool{true, false} {
		e := d.entry(b, 1, detached)
		b.Run(fmt.Sprintf("detached=%t", detached), func(b *testing.B) {
			for b.Loop() {
				p, err := e.prepare()
				if err != nil {
					b.Fatal(err)
				}
				p.appendLine(nil, place{n: 1, group: 1, time: time.Now()})
			}
		})
	}
}

// BenchmarkOpen reads the newest lines of a journal: 10,000 in one segment.
func BenchmarkOpen(b *testing.B) {
	d := newDesk(b)
	j := d.open(b)
	entries := make([]Entry, 8)
	for i := range entries {
		entries[i] = d.entry(b, i, true)
	}
	for range 100 {
		var calls []*waiting
		for i := range 100 {
			e := entries[i%8]
			e.Client = fmt.Sprint(i)
			p, err := e.prepare()
			if err != nil {
				b.Fatal(err)
			}
			p.content.digest[0] ^= byte(i) // so that each line has its bundle
			p.content.digest[1] ^= byte(len(calls))
			calls = append(calls, &waiting{prepared: p, size: p.most(), done: make(chan struct{})})
		}
		j.mu.Lock()
		j.queue = append(j.queue, calls...)
		j.mu.Unlock()
		j.signal()
		<-calls[99].done
	}
	closeJournal(b, j)
	for b.Loop() {
		h := newHeld()
		h.load(d.dir, 1)
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "lines/s")
}
