package canonical

import (
	"encoding/binary"
	"math/bits"
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

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// scan does the first pass over the whole text and says whether it found no error.
func (t *transformer) scan() bool {
	src := t.src
	if len(src) >= 3 && src[0] == 0xEF && src[1] == 0xBB && src[2] == 0xBF {
		t.fail(codeBOM, 0)
		return false
	}
	t.begin = skipSpace(src, 0)
	t.flushed = t.begin
	t.end = t.value(t.begin)
	if t.end < 0 {
		return false
	}
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
		opened := false
		switch c := at(src, i); c {
		case '"':
			i = t.str(i)
		case '{', '[':
			i, opened = t.open(i, c)
		case 't':
			i = t.literal(i, "true")
		case 'f':
			i = t.literal(i, "false")
		case 'n':
			i = t.literal(i, "null")
		default:
			i = t.number(i)
		}
		for !opened {
			if i < 0 || len(t.frames) == 0 {
				return i
			}
			i, opened = t.next(i)
		}
		if i < 0 {
			return i
		}
	}
}

// next goes on after a value in an array or object. It returns the position of the next
// value and true, or the position after the array or object, which ends here, and false.
func (t *transformer) next(i int) (int, bool) {
	src := t.src
	if i < len(src) && src[i] <= ' ' {
		i = t.space(i)
	}
	f := &t.frames[len(t.frames)-1]
	switch c := at(src, i); {
	case c == ',' && f.object >= 0:
		return t.name(t.space(i+1), f), true
	case c == ',':
		i = t.space(i + 1)
		return t.count(i), true
	case c == '}' && f.object >= 0:
		return t.closeObject(i, f), false
	case c == ']' && f.object < 0:
		t.frames = t.frames[:len(t.frames)-1]
		t.depthLeft++
		return i + 1, false
	}
	return t.fail(codeSyntax, i), false
}

// open scans the opening bracket c at i. It returns the position of the first value inside
// and true, or the position after an empty array or object and false.
func (t *transformer) open(i int, c byte) (int, bool) {
	if t.depthLeft <= 0 {
		return t.fail(codeDepth, i), false
	}
	start := t.position(i)
	i = t.space(i + 1)
	next := at(t.src, i)
	if next == c+2 { // ] is [+2, } is {+2
		return i + 1, false
	}
	t.depthLeft--
	if c == '[' {
		t.frames = append(t.frames, frame{object: -1})
		return t.count(i), true
	}
	t.frames = append(t.frames, frame{object: len(t.objects), members: len(t.members), inOrder: true})
	t.objects = append(t.objects, object{start: start})
	return t.name(i, &t.frames[len(t.frames)-1]), true
}

// name scans a member's name, at i, and the colon. It returns the position of the value.
func (t *transformer) name(i int, f *frame) int {
	src := t.src
	if at(src, i) != '"' {
		return t.fail(codeSyntax, i)
	}
	start := i
	m := member{start: t.position(i), next: len(t.objects)}
	if i = t.str(i); i < 0 {
		return i
	}
	t.setName(&m, start, i)
	if f.inOrder && len(t.members) > f.members {
		switch c := t.compare(&t.members[len(t.members)-1], &m); {
		case c == 0:
			return t.fail(codeDuplicate, start)
		case c > 0:
			f.inOrder = false
		}
	}
	t.members = append(t.members, m)
	if t.count(start) < 0 {
		return -1
	}
	if i < len(src) && src[i] <= ' ' {
		i = t.space(i)
	}
	if at(src, i) != ':' {
		return t.fail(codeSyntax, i)
	}
	return t.space(i + 1)
}

// count notes a member or element at i, and returns i or -1 when it is one too many.
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
			return t.fail(codeSyntax, min(i+k, len(t.src)))
		}
	}
	return i + len(want)
}

// space skips white space at i, which does not become part of the form.
func (t *transformer) space(i int) int {
	if i >= len(t.src) || t.src[i] > ' ' {
		return i
	}
	j := skipSpace(t.src, i)
	if j > i {
		t.skip(i, j)
	}
	return j
}

// skipSpace is the position of the first byte at or after i that is no white space.
func skipSpace(src []byte, i int) int {
	for i < len(src) && isSpace(src[i]) {
		i++
		for i+8 <= len(src) { // indentation comes in runs of spaces
			n := bits.TrailingZeros64(binary.LittleEndian.Uint64(src[i:])^repeat(' ')) >> 3
			i += n
			if n < 8 {
				break
			}
		}
	}
	return i
}
