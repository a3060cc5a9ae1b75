package canonical

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// What copyChunk is for: the short runs between white space, of lengths that no branch
// predictor knows.
func BenchmarkShortCopies(b *testing.B) {
	const runs = 8192
	r := rand.New(rand.NewPCG(7, 8))
	lengths := make([]int, runs)
	for i := range lengths {
		lengths[i] = 2 + r.IntN(chunk-2)
	}
	src, dst := make([]byte, runs*chunk), make([]byte, runs*chunk)
	b.Run("chunk", func(b *testing.B) {
		for b.Loop() {
			at := 0
			for _, n := range lengths {
				copyChunk((*[chunk]byte)(dst[at:]), (*[chunk]byte)(src[at:]))
				at += n
			}
		}
	})
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			at := 0
			for _, n := range lengths {
				at += copy(dst[at:], src[at:at+n])
			}
		}
	})
}

// What ascii is for: the text of a prompt, and names and values of a few bytes.
func BenchmarkASCII(b *testing.B) {
	for _, n := range []int{5, 20, 80, 1000} {
		src := make([]byte, n+20)
		for i := range src {
			src[i] = 'a' + byte(i%26)
		}
		src[n] = '"'
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				ascii(src, 0)
			}
		})
	}
}
