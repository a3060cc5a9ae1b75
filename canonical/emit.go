package canonical

import "hash"

// An object is an open object, or a closed one that has something to reorder in it.
type object struct {
	start, end        int // where it stands in the text of the first pass; end excludes the bracket
	pieces, piecesEnd int // its members in canonical order; none if they are in order already
	next              int // the first of objects that begins after it
}

// A piece is one member: a range of the text, and the first of objects that begins in it
// or after it.
type piece struct {
	start, end, next int
}

// A cursor is an object whose members emit is writing.
type cursor struct {
	object int
	piece  int // the member being written
	end    int // where the range that contains the object ends
}

// A sink takes the canonical form: into memory, or into a hash if there is one.
type sink struct {
	dst  []byte
	hash hash.Hash
}

func (s *sink) write(p []byte) {
	if s.hash != nil {
		s.hash.Write(p)
		return
	}
	s.dst = append(s.dst, p...)
}

func (t *transformer) appendTo(dst []byte) []byte {
	s := sink{dst: dst}
	t.emit(&s)
	return s.dst
}

func (t *transformer) hashTo(h hash.Hash) {
	s := sink{hash: h}
	t.emit(&s)
}

var comma = []byte{','}

// emit does the second pass. It walks the ranges of the text in canonical order with its
// own stack: text[at:end] is the range at hand, and object k the next that begins in it.
func (t *transformer) emit(s *sink) {
	text := t.text()
	at, end, k := 0, len(text), 0
	t.cursors = t.cursors[:0]
	for {
		if k < len(t.objects) && t.objects[k].start < end {
			o := &t.objects[k]
			if o.pieces == o.piecesEnd {
				k++
				continue
			}
			s.write(text[at : o.start+1])
			t.cursors = append(t.cursors, cursor{k, o.pieces, end})
			p := &t.pieces[o.pieces]
			at, end, k = p.start, p.end, p.next
			continue
		}
		s.write(text[at:end])
		if len(t.cursors) == 0 {
			return
		}
		c := &t.cursors[len(t.cursors)-1]
		o := &t.objects[c.object]
		if c.piece++; c.piece < o.piecesEnd {
			s.write(comma)
			p := &t.pieces[c.piece]
			at, end, k = p.start, p.end, p.next
			continue
		}
		at, end, k = o.end, c.end, o.next
		t.cursors = t.cursors[:len(t.cursors)-1]
	}
}
