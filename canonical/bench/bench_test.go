package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/runattest/runattest/canonical"
)

func BenchmarkTransform(b *testing.B) {
	for _, d := range documents() {
		b.Run(d.name, func(b *testing.B) {
			for _, p := range peers {
				b.Run(p.name, func(b *testing.B) {
					if p.name == d.slow {
						b.Skip("takes minutes")
					}
					b.SetBytes(int64(len(d.text)))
					b.ReportAllocs()
					var dst []byte
					for b.Loop() {
						var err error
						if dst, err = p.transform(dst, d.text); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

func BenchmarkIdentity(b *testing.B) {
	for _, d := range documents()[:5] {
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(d.text)))
			b.ReportAllocs()
			h := sha256.New()
			for b.Loop() {
				h.Reset()
				if err := (canonical.Options{ExactNumbers: true}).Hash(h, d.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGrowth(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			text := documentList(size / 300)
			b.SetBytes(int64(len(text)))
			var dst []byte
			for b.Loop() {
				dst, _ = canonical.Append(dst[:0], text)
			}
		})
	}
}

// What is measured is the same work: all peers give the same bytes.
func TestPeersAgree(t *testing.T) {
	for _, d := range documents() {
		want := canonicalForm(d.text)
		for _, p := range peers {
			if p.name == d.slow {
				continue
			}
			if got, err := p.transform(nil, d.text); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s differs (%v)", d.name, p.name, err)
			}
		}
	}
}
