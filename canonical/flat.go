package canonical

import (
	"encoding/binary"
	"slices"
)

// chunk is how much is copied at once where little is to be copied: most tokens are
// shorter. A move of constant size, of which the surplus is overwritten later, has no
// branch to mispredict, as a copy of varying size has: see BenchmarkShortCopies.
const chunk = 32

// copyChunk is an assignment that is not compiled to a call: arrays might overlap.
func copyChunk(dst, src *[chunk]byte) {
	le := binary.LittleEndian
	a, b, c, d := le.Uint64(src[:8]), le.Uint64(src[8:16]), le.Uint64(src[16:24]), le.Uint64(src[24:])
	le.PutUint64(dst[:8], a)
	le.PutUint64(dst[8:16], b)
	le.PutUint64(dst[16:24], c)
	le.PutUint64(dst[24:], d)
}

// skip leaves src[i:j] out of the flat text.
func (t *transformer) skip(i, j int) {
	t.copyRun(i)
	t.gap += j - i
	t.done = j
}

// replace puts s in the place of src[i:j].
func (t *transformer) replace(i, j int, s []byte) {
	t.skip(i, j)
	n := j - t.gap
	t.room(n + len(s))
	copy(t.memory[n:], s)
	t.gap -= len(s)
}

// copyRun copies to memory what of src comes before i and has not been copied.
func (t *transformer) copyRun(i int) {
	n := t.done - t.gap
	if i-t.done <= 2*chunk && t.done+2*chunk <= len(t.src) && n+2*chunk <= len(t.memory) {
		dst, src := t.memory[n:n+2*chunk], t.src[t.done:t.done+2*chunk]
		copyChunk((*[chunk]byte)(dst), (*[chunk]byte)(src))
		copyChunk((*[chunk]byte)(dst[chunk:]), (*[chunk]byte)(src[chunk:]))
		return
	}
	t.room(n + i - t.done)
	copy(t.memory[n:], t.src[t.done:i])
}

// room makes the memory at least n bytes long. What it grows to first is enough for all
// texts but those in which numbers become longer.
func (t *transformer) room(n int) {
	if n > len(t.memory) {
		n = max(n, len(t.src)+2*chunk)
		t.memory = slices.Grow(t.memory, n-len(t.memory))
		t.memory = t.memory[:cap(t.memory)]
	}
}
