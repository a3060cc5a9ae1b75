package canonical

import "encoding/binary"

// A spacing is white space of at most 16 bytes that was found in a place and is likely to
// be found in the next place of that kind: the members of an object, and of those beside
// it, are indented alike. One comparison tells, where a loop would have to look.
type spacing struct {
	x, y       uint64 // the two words that begin with it, with all bits of anyX and anyY set
	anyX, anyY uint64 // what does not belong to it
	size       int
}

// levels is how many depths have spacings of their own; deeper ones share them.
const levels = 32

// set makes the first size bytes of b the ones to expect.
func (s *spacing) set(b []byte, size int) {
	s.size, s.anyX, s.anyY = size, 0, ^uint64(0)
	if size < 8 {
		s.anyX = ^uint64(0) << (8 * size)
	} else {
		s.anyY <<= 8 * (size - 8)
	}
	s.x = binary.LittleEndian.Uint64(b) | s.anyX
	s.y = binary.LittleEndian.Uint64(b[8:]) | s.anyY
}

// blank leaves the white space at i out, if there is any, and returns the position after it.
func (t *transformer) blank(i int, s *spacing) int {
	src, j := t.src, i
	if i+17 <= len(src) {
		b := src[i : i+17]
		if binary.LittleEndian.Uint64(b)|s.anyX == s.x && binary.LittleEndian.Uint64(b[8:])|s.anyY == s.y && b[s.size] > ' ' {
			j += s.size
		}
	}
	if j == i {
		if j = skipSpace(src, i); j == i {
			return i
		}
		if j-i <= 16 && i+16 <= len(src) {
			s.set(src[i:i+16], j-i)
		}
	}
	// This is skip(i, j) for a short run.
	n := t.done - t.gap
	if i-t.done <= chunk && t.done+chunk <= len(src) && n+chunk <= len(t.memory) {
		copyChunk((*[chunk]byte)(t.memory[n:n+chunk]), (*[chunk]byte)(src[t.done:t.done+chunk]))
	} else {
		t.copyRun(i)
	}
	t.gap += j - i
	t.done = j
	return j
}

// space is blank where nothing is to be expected.
func (t *transformer) space(i int) int {
	j := skipSpace(t.src, i)
	if i < j {
		t.skip(i, j)
	}
	return j
}

// skipSpace returns the position of the first byte at or after i that is not white space.
func skipSpace(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\n' || src[i] == '\t' || src[i] == '\r') {
		i++
	}
	return i
}
