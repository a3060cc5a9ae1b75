// Command bench measures package canonical beside its peers and prints how many times as
// fast it is. It runs for about half a minute on one core:
//
//	go run .
//
// With -check its exit code is 1 when a goal is missed. The same measurements, in the
// usual form, are `go test -bench .`.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/canonical"
)

var (
	check  = flag.Bool("check", false, "fail when a goal is missed")
	rounds = flag.Int("rounds", 5, "how often to measure; the best round counts")
)

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(1) // with the collector on the same core, as in a busy process
	fmt.Printf("%s %s/%s, one core, best of %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, *rounds)
	met := comparePeers()
	fmt.Println()
	hashing()
	fmt.Println()
	growth()
	if *check && !met {
		os.Exit(1)
	}
}

// best is the time of one call of f, in the best of the rounds. All rounds take turns
// elsewhere, so that a slow moment of the machine does not fall on one implementation.
func best(fs ...func()) []time.Duration {
	list := make([]time.Duration, len(fs))
	for range *rounds {
		for i, f := range fs {
			if d := once(f); list[i] == 0 || d < list[i] {
				list[i] = d
			}
		}
	}
	return list
}

func once(f func()) time.Duration {
	const enough = 40 * time.Millisecond
	f()
	for n := 1; ; n *= 2 {
		start := time.Now()
		for range n {
			f()
		}
		if d := time.Since(start); d > enough || n > 1 && d > enough/2 {
			return d / time.Duration(n)
		}
	}
}

func comparePeers() (met bool) {
	met = true
	fmt.Printf("%-32s %9s %8s %7s", "document", "size", "MB/s", "allocs")
	for _, p := range peers[1:] {
		fmt.Printf(" %12s", "x "+p.name)
	}
	fmt.Println("  goal")
	for _, d := range documents() {
		var fs []func()
		for _, p := range peers {
			var dst []byte
			fs = append(fs, func() {
				if p.name == d.slow {
					return
				}
				var err error
				if dst, err = p.transform(dst, d.text); err != nil {
					panic(fmt.Sprint(p.name, ": ", d.name, ": ", err))
				}
			})
		}
		times := best(fs...)
		fmt.Printf("%-32s %9d %8.0f %7.0f", d.name, len(d.text), rate(len(d.text), times[0]), testing.AllocsPerRun(10, fs[0]))
		var goals []string
		for i, p := range peers[1:] {
			if p.name == d.slow {
				fmt.Printf(" %12s", "minutes")
				continue
			}
			ratio := float64(times[i+1]) / float64(times[0])
			fmt.Printf(" %12.1f", ratio)
			if goal := d.goal[p.name]; goal > 0 {
				word := "met"
				if ratio < goal {
					word, met = "missed", false
				}
				goals = append(goals, fmt.Sprintf("%s %.0fx %s", p.name, goal, word))
			}
		}
		fmt.Printf("  %s\n", strings.Join(goals, ", "))
	}
	return met
}

func rate(size int, d time.Duration) float64 { return float64(size) / d.Seconds() / 1e6 }

// hashing measures an identity, canonicalisation and SHA-256, beside its parts.
func hashing() {
	fmt.Printf("%-32s %12s %12s %12s %12s\n", "MB/s of", "identity", "canonical", "SHA-256", "json.Valid")
	for _, d := range documents()[:5] {
		h := sha256.New()
		var dst []byte
		times := best(func() {
			h.Reset()
			if err := (canonical.Options{ExactNumbers: true}).Hash(h, d.text); err != nil {
				panic(err)
			}
		}, func() {
			dst, _ = canonical.Options{ExactNumbers: true}.Append(dst[:0], d.text)
		}, func() { sha256.Sum256(d.text) }, func() { json.Valid(d.text) })
		fmt.Printf("%-32s", d.name)
		for _, t := range times {
			fmt.Printf(" %12.0f", rate(len(d.text), t))
		}
		fmt.Println()
	}
}

// growth shows that time grows with the size of the text, and with n log n of the members
// of one object.
func growth() {
	fmt.Printf("%12s %22s %22s\n", "size", "list of objects, MB/s", "one wide object, MB/s")
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20} {
		list, object := documentList(size/300), wide(size/29)
		var dst []byte
		times := best(func() { dst, _ = canonical.Append(dst[:0], list) }, func() { dst, _ = canonical.Append(dst[:0], object) })
		fmt.Printf("%12d %22.0f %22.0f\n", size, rate(len(list), times[0]), rate(len(object), times[1]))
	}
}
