package canonical

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A frame is an open array or object.
type frame struct {
	object  int  // index in objects, or -1 for an array
	members int  // index of the first of its members
	inOrder bool // the members so far are in canonical order
}

// at is the byte at i, or 0, which no JSON text has outside a string, at the end.
func at(src []byte, i int) byte {
	if i < len(src) {
		return src[i]
	}
	return 0
}

// scan does the first pass over the whole text and says whether it found no error.
func (t *transformer) scan() bool {
	src := t.src
	if len(src) >= 3 && src[0] == 0xEF && src[1] == 0xBB && src[2] == 0xBF {
		t.fail(codeBOM, 0)
		return false
	}
	t.begin, t.size = skipSpace(src, 0), 0
	t.end = t.value(t.begin)
	if t.end < 0 {
		return false
	}
	t.size += t.end - t.begin
	if i := skipSpace(src, t.end); i < len(src) {
		t.fail(codeTrailing, i)
		return false
	}
	return true
}

// value scans the value at i with all that nests in it and returns the position after it,
// or -1. It keeps its own stack, t.frames, so that depth is bounded by MaxDepth alone.
func (t *transformer) value(i int) int {
	src := t.src
	for {
		switch c := at(src, i); c {
		case '"':
			i = t.stringValue(i)
		case '{', '[':
			var opened bool
			if i, opened = t.open(i, c); opened && i >= 0 {
				continue
			}
		case 't':
			i = t.literal(i, "true")
		case 'f':
			i = t.literal(i, "false")
		case 'n':
			i = t.literal(i, "null")
		default:
			i = t.num(i)
		}
		if i = t.next(i); i < 0 || len(t.frames) == 0 {
			return i
		}
	}
}

// next goes on at i, after a value in an array or object, or -1. It returns the position
// of the next value, or the position after the outermost array or object when that ends.
func (t *transformer) next(i int) int {
	src := t.src
	for i >= 0 && len(t.frames) > 0 {
		if i < len(src) && src[i] <= ' ' {
			i = t.space(i)
		}
		f := &t.frames[len(t.frames)-1]
		switch c := at(src, i); {
		case c == ',':
			comma := i
			i++
			if i < len(src) && src[i] <= ' ' {
				i = t.space(i)
			}
			if f.object >= 0 {
				t.members[len(t.members)-1].end = comma
				return t.name(i, f)
			}
			return t.count(i)
		case c == '}' && f.object >= 0:
			i = t.closeObject(i, f)
		case c == ']' && f.object < 0:
			t.frames = t.frames[:len(t.frames)-1]
			t.depthLeft++
			i++
		default:
			return t.fail(codeSyntax, i)
		}
	}
	return i
}

// open scans the opening bracket c at i. It returns the position of the first value inside
// and true, or the position after an empty array or object and false.
func (t *transformer) open(i int, c byte) (int, bool) {
	if t.depthLeft <= 0 {
		return t.fail(codeDepth, i), false
	}
	start := i
	i++
	if i < len(t.src) && t.src[i] <= ' ' {
		i = t.space(i)
	}
	if at(t.src, i) == c+2 { // the closing bracket, ] or }
		return i + 1, false
	}
	t.depthLeft--
	if c == '[' {
		t.frames = append(t.frames, frame{object: -1})
		return t.count(i), true
	}
	t.frames = append(t.frames, frame{object: len(t.objects), members: len(t.members), inOrder: true})
	n := len(t.objects)
	if n == cap(t.objects) {
		t.objects = slices.Grow(t.objects, 1)
	}
	t.objects = t.objects[:n+1]
	o := &t.objects[n]
	o.start, o.pieces, o.piecesEnd = start, 0, 0
	return t.name(i, &t.frames[len(t.frames)-1]), true
}

// name scans a member's name, at i, and the colon. It returns the position of the value.
func (t *transformer) name(i int, f *frame) int {
	src := t.src
	n := len(t.members)
	if n == cap(t.members) {
		t.members = slices.Grow(t.members, 1)
	}
	t.members = t.members[:n+1] // append would clear and copy nine words
	m := &t.members[n]
	m.start, m.edit, m.next = i, len(t.edits), len(t.objects)

	short := false
	if i+18 <= len(src) && src[i] == '"' {
		// A short ASCII name is in two words, and the first is its prefix.
		b := src[i+1 : i+18]
		x, y := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		s := special(x)
		n := first(s, special(y))
		if b[n] == '"' && (x|y)&highBits == 0 {
			m.prefix, m.size, m.escaped = bits.ReverseBytes64(x&((s&-s)>>7-1)), n, false
			i += n + 2
			short = true
		}
	}
	if !short {
		if i = t.longName(i, m); i < 0 {
			return i
		}
	}
	if n > f.members && f.inOrder && t.members[n-1].prefix >= m.prefix && !t.ordered(f, &t.members[n-1], m) {
		return -1
	}
	if t.valuesLeft--; t.valuesLeft < 0 {
		return t.fail(codeCount, m.start)
	}
	if i+1 < len(src) && src[i] == ':' && src[i+1] > ' ' {
		return i + 1
	}
	if i+2 < len(src) && src[i] == ':' && src[i+1] == ' ' && src[i+2] > ' ' {
		t.skip(i+1, i+2)
		return i + 2
	}
	return t.colon(i)
}

// longName scans any string at i as the name of m and returns the position after it.
func (t *transformer) longName(i int, m *member) int {
	if at(t.src, i) != '"' {
		return t.fail(codeSyntax, i)
	}
	end := t.str(i)
	if end >= 0 {
		t.setName(m, i+1, end-1)
	}
	return end
}

// colon scans a colon at i with white space on both sides.
func (t *transformer) colon(i int) int {
	i = t.space(i)
	if at(t.src, i) != ':' {
		return t.fail(codeSyntax, i)
	}
	return t.space(i + 1)
}

// count notes an element at i, and returns i or -1 when it is one too many.
func (t *transformer) count(i int) int {
	t.valuesLeft--
	if t.valuesLeft < 0 {
		return t.fail(codeCount, i)
	}
	return i
}

// literal scans true, false or null.
func (t *transformer) literal(i int, want string) int {
	for k := range len(want) {
		if at(t.src, i+k) != want[k] {
			return t.fail(codeSyntax, i+k)
		}
	}
	return i + len(want)
}

// space skips the white space at i, which does not become part of the form.
func (t *transformer) space(i int) int {
	src, j := t.src, i
	if i+17 <= len(src) && src[i] == '\n' {
		// A line end and up to 16 spaces of indentation, without a branch that depends
		// on how deep it is: the second word counts if all of the first are spaces.
		b := src[i+1 : i+17]
		j += 1 + first(binary.LittleEndian.Uint64(b)^repeat(' '), binary.LittleEndian.Uint64(b[8:])^repeat(' '))
	}
	if at(src, j) <= ' ' {
		j = skipSpace(src, j)
	}
	if i < j {
		t.skip(i, j)
	}
	return j
}

// skipSpace is the position of the first byte at or after i that is no white space.
func skipSpace(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\n' || src[i] == '\t' || src[i] == '\r') {
		i++
	}
	return i
}
