package canonical

import (
	"encoding/binary"
	"hash"
	"slices"
)

// An object is an open object, or a closed one that has something to reorder in it.
type object struct {
	start, end        int // the positions of its brackets
	pieces, piecesEnd int // its members in canonical order; none if they are in order already
	edit, next        int // the first of edits and objects behind it
}

// A piece is one member: a range of src, and the first of edits and objects that are in it
// or behind it.
type piece struct {
	start, end int
	edit, next int
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

// chunk is how much is copied at once where little is to be copied: most tokens are
// shorter. A move of constant size, of which the surplus is overwritten later, has no
// branch to mispredict, as a copy of varying size has: see BenchmarkShortCopies.
const chunk = 32

func copyChunk(dst, src *[chunk]byte) {
	le := binary.LittleEndian
	a, b, c, d := le.Uint64(src[:8]), le.Uint64(src[8:16]), le.Uint64(src[16:24]), le.Uint64(src[24:])
	le.PutUint64(dst[:8], a)
	le.PutUint64(dst[8:16], b)
	le.PutUint64(dst[16:24], c)
	le.PutUint64(dst[24:], d)
}

func (s *sink) put(p []byte) {
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
	if len(t.edits) == 0 && len(t.objects) == 0 {
		return append(dst, t.src[t.begin:t.end]...)
	}
	if sameArray(dst, t.src) {
		return append(dst, t.appendTo(nil)...)
	}
	n := len(dst)
	dst = slices.Grow(dst, t.size)[:n+t.size]
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
	if len(t.edits) == 0 && len(t.objects) == 0 {
		h.Write(t.src[t.begin:t.end])
		return
	}
	if t.window == nil {
		t.window = make([]byte, windowSize)
	}
	s := sink{buf: t.window, hash: h}
	t.emit(&s)
	s.flush()
}

// emit does the second pass. It walks the ranges of src in canonical order, with its own
// stack: p is the range at hand.
func (t *transformer) emit(s *sink) {
	rest := piece{start: t.begin, end: t.end}
	p := &rest
	t.cursors = t.cursors[:0]
	for {
		if k := t.disordered(p); k >= 0 {
			o := &t.objects[k]
			t.copyEdited(s, p.start, o.start+1, p.edit)
			t.cursors = append(t.cursors, cursor{k, o.pieces, p.end})
			p = &t.pieces[o.pieces]
			continue
		}
		t.copyEdited(s, p.start, p.end, p.edit)
		if len(t.cursors) == 0 {
			return
		}
		c := &t.cursors[len(t.cursors)-1]
		o := &t.objects[c.object]
		if c.piece++; c.piece < o.piecesEnd {
			s.comma()
			p = &t.pieces[c.piece]
			continue
		}
		rest = piece{o.end, c.end, o.edit, o.next}
		p = &rest
		t.cursors = t.cursors[:len(t.cursors)-1]
	}
}

// disordered is the first object in p whose members are not in order, or -1.
func (t *transformer) disordered(p *piece) int {
	for k := p.next; k < len(t.objects) && t.objects[k].start < p.end; k++ {
		if t.objects[k].pieces < t.objects[k].piecesEnd {
			return k
		}
	}
	return -1
}

// copyEdited writes src[i:end] with what is to change in it, from edit k on. All that is
// written passes here, mostly in short runs between white space, so that the first case
// of its loop keeps everything in registers.
func (t *transformer) copyEdited(s *sink, i, end, k int) {
	src, edits, buf, n := t.src, t.edits, s.buf, s.n
	for {
		stop, next, text := end, end, 0
		if k < len(edits) && edits[k].start < end {
			stop, next, text = edits[k].start, edits[k].end, edits[k].text
		}
		if stop-i <= chunk && i+chunk <= len(src) && n+chunk <= len(buf) {
			copyChunk((*[chunk]byte)(buf[n:]), (*[chunk]byte)(src[i:]))
			n += stop - i
		} else {
			s.n = n
			s.put(src[i:stop])
			n = s.n
		}
		if text > 0 {
			s.n = n
			s.put(t.texts[text+1 : text+1+int(t.texts[text])])
			n = s.n
		}
		if stop == end {
			break
		}
		i = next
		k++
	}
	s.n = n
}
