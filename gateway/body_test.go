package gateway

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"
)

// TestReadAll: bodies of every size around those of the buffers that they go through are whole, apart from each other, and charged,
// but for the byte in which the end is found.
func TestReadAll(t *testing.T) {
	of := &budget{most: 1 << 40}
	var readers sync.WaitGroup
	for seed := range uint64(4) {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			source := make([]byte, 3<<20)
			for i := range source {
				source[i] = byte(random.Uint32())
			}
			var kept, want [][]byte
			for step := range 6 {
				for _, off := range []int{-1, 0, 1, random.IntN(firstShare)} {
					size := max(0, firstShare<<step/2+off)
					for _, most := range []int64{int64(size), int64(size) + 1, 8 << 20} {
						s := &share{of: of}
						var from io.Reader = bytes.NewReader(source[:size])
						if random.IntN(2) == 0 {
							from = iotest.DataErrReader(from)
						}
						body, no := readAll(from, most, s)
						if no != nil || !bytes.Equal(body, source[:size]) || s.taken < int64(size)-1 || s.taken > most {
							t.Errorf("%d bytes of at most %d: %d came, %d are charged, %v", size, most, len(body), s.taken, no)
						}
						s.release()
						if size <= 256<<10 {
							kept, want = append(kept, body), append(want, source[:size])
						}
					}
					if size == 0 {
						continue
					}
					if _, no := readAll(bytes.NewReader(source[:size]), int64(size)-1, &share{of: of}); no == nil || no.code != bodyTooLarge.code {
						t.Errorf("%d bytes of at most one fewer: %v", size, no)
					}
				}
			}
			for i := range kept {
				if !bytes.Equal(kept[i], want[i]) {
					t.Errorf("a body of %d bytes has changed", len(want[i]))
				}
			}
		})
	}
	readers.Wait()
}
