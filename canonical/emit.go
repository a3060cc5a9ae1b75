package canonical

import (
	"hash"
	"slices"
)

// An object is a closed object whose members are out of order.
type object struct {
	start, end        int // the positions of its brackets in the flat text
	pieces, piecesEnd int // its members in canonical order
	first             int // the first of t.objects that is in it, or it itself
	next              int // the next in the same piece, past all that is in this one, or -1
}

// A piece is one member of a disordered object.
type piece struct {
	prefix     uint64 // as in member
	start, end int    // its range of the flat text
	inner      int    // the first of t.objects in it that is in no other there, or -1
}

// A cursor is an object whose members emit is writing.
type cursor struct {
	object int
	piece  int // the member being written
	end    int // where the range that contains the object ends
}

// A sink takes the canonical form: in memory that is long enough, or, by way of a small
// window, in a hash.
type sink struct {
	buf  []byte
	n    int // bytes in buf
	hash hash.Hash
}

// put writes p. It may read what is behind, up to the capacity of p.
func (s *sink) put(p []byte) {
	if len(p) <= chunk && cap(p) >= chunk && s.n+chunk <= len(s.buf) {
		copyChunk((*[chunk]byte)(s.buf[s.n:]), (*[chunk]byte)(p[:chunk]))
		s.n += len(p)
		return
	}
	if s.n+len(p) > len(s.buf) {
		s.flush()
		if len(p) > len(s.buf) {
			s.hash.Write(p)
			return
		}
	}
	s.n += copy(s.buf[s.n:], p)
}

func (s *sink) comma() {
	if s.n == len(s.buf) {
		s.flush()
	}
	s.buf[s.n] = ','
	s.n++
}

func (s *sink) flush() {
	s.hash.Write(s.buf[:s.n])
	s.n = 0
}

func (t *transformer) appendTo(dst []byte) []byte {
	if len(t.objects) == 0 {
		return append(dst, t.flat...)
	}
	if sameArray(dst, t.src) {
		return append(dst, t.appendTo(nil)...)
	}
	n := len(dst)
	dst = slices.Grow(dst, len(t.flat))[:n+len(t.flat)]
	t.emit(&sink{buf: dst[n:]})
	return dst
}

// sameArray says whether a and b share memory to the same end, as a slice and what is cut
// from its front do.
func sameArray(a, b []byte) bool {
	return cap(a) > 0 && cap(b) > 0 && &a[:cap(a)][cap(a)-1] == &b[:cap(b)][cap(b)-1]
}

const windowSize = 4096

func (t *transformer) hashTo(h hash.Hash) {
	if len(t.objects) == 0 {
		h.Write(t.flat)
		return
	}
	if t.window == nil {
		t.window = make([]byte, windowSize)
	}
	s := sink{buf: t.window, hash: h}
	t.emit(&s)
	s.flush()
}

// emit does the second pass. It walks the ranges of the flat text in canonical order, with
// its own stack: flat[start:end] is the range at hand, with the object inner in it or none.
func (t *transformer) emit(s *sink) {
	t.cursors = t.cursors[:0]
	start, end, inner := 0, len(t.flat), t.outermost(0, len(t.objects))
	for {
		if inner >= 0 {
			o := &t.objects[inner]
			s.put(t.flat[start : o.start+1]) // to the bracket
			t.cursors = append(t.cursors, cursor{inner, o.pieces, end})
		} else {
			s.put(t.flat[start:end])
			if len(t.cursors) == 0 {
				return
			}
			s.comma()
			t.cursors[len(t.cursors)-1].piece++
		}
		c := &t.cursors[len(t.cursors)-1]
		o := &t.objects[c.object]
		if k := t.copyPieces(s, c.piece, o.piecesEnd); k < o.piecesEnd {
			p := &t.pieces[k]
			c.piece, start, end, inner = k, p.start, p.end, p.inner
			continue
		}
		s.n-- // the last comma
		start, end, inner = o.end, c.end, o.next
		t.cursors = t.cursors[:len(t.cursors)-1]
	}
}

// copyPieces writes the pieces from k up to last, each with a comma behind it. It stops at
// one that has disordered objects in it, and returns which.
func (t *transformer) copyPieces(s *sink, k, last int) int {
	flat, buf, n := t.flat, s.buf, s.n
	for ; k < last; k++ {
		p := &t.pieces[k]
		if p.inner >= 0 {
			break
		}
		if size := p.end - p.start; size <= chunk && p.start+chunk <= len(flat) && n+chunk < len(buf) {
			copyChunk((*[chunk]byte)(buf[n:n+chunk]), (*[chunk]byte)(flat[p.start:p.start+chunk]))
			n += size
			buf[n] = ','
			n++
			continue
		}
		s.n = n
		s.put(flat[p.start:p.end])
		s.comma()
		n = s.n
	}
	s.n = n
	return k
}
