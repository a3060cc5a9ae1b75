package canonical

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A frame is an open array or object.
type frame struct {
	end     byte // its closing bracket, 0 around the top-level value
	inOrder bool // the members so far are in canonical order
	start   int  // where its bracket is in the flat text
	members int  // index of the first of its members
}

// at is the byte at i, or 0, which no JSON text has outside a string, at the end.
func at(src []byte, i int) byte {
	if uint(i) < uint(len(src)) {
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
	begin := skipSpace(src, 0)
	t.done, t.gap = begin, begin
	end := t.value(begin)
	if end < 0 {
		return false
	}
	if i := skipSpace(src, end); i < len(src) {
		t.fail(codeTrailing, i)
		return false
	}
	if t.unchanged = t.done == begin; t.unchanged {
		t.flat = src[begin:end:end]
		return true
	}
	t.copyRun(end)
	t.flat = t.memory[:end-t.gap]
	return true
}

// value scans the value at i with all that nests in it and returns the position after it,
// or -1. It keeps its own stack, t.frames, so that depth is bounded by MaxDepth alone.
//
// It is one long loop, in three parts, so that what it works with stays in registers. With
// names, short strings and the blank after a colon in functions of their own, declarations
// take 8 to 10% more time: see "600 documents by digest" in canonical/bench.
func (t *transformer) value(i int) int {
	src := t.src
	t.frames = append(t.frames[:0], frame{})
	f := &t.frames[0]
	last := uint64(0) // prefix of the name before, 0 for the first in an object
	for {
		// One: a value is due at i.
		c := at(src, i)
		switch {
		case c == '"':
			// Most strings are of 16 bytes or less, and ASCII.
			from := i + 1
			if i+18 <= len(src) {
				b := src[i+1 : i+18]
				if s := unusual(binary.LittleEndian.Uint64(b)); s != 0 {
					if n := bits.TrailingZeros64(s) >> 3; b[n] == '"' {
						i += n + 2
						goto after
					}
				} else if s := unusual(binary.LittleEndian.Uint64(b[8:])); s != 0 {
					if n := bits.TrailingZeros64(s)>>3 + 8; b[n] == '"' {
						i += n + 2
						goto after
					}
				} else {
					from += 16
				}
			}
			i = t.str(i, from)
		case c == '{' || c == '[':
			if i = t.open(i, c); i < 0 {
				return i
			}
			f, last = &t.frames[len(t.frames)-1], 0
			if at(src, i) != f.end {
				goto inside
			}
		case c < 'a':
			i = t.num(i)
		default:
			i = t.literal(i, c)
		}
		if i < 0 {
			return i
		}

	after:
		// Two: a value ends at i, and perhaps some that it is in.
		for {
			if f.end == 0 {
				return i
			}
			c := at(src, i)
			if c == ',' {
				i++
				if at(src, i) <= ' ' {
					i = t.blank(i, &t.between[len(t.frames)%levels])
				}
				break
			}
			if c <= ' ' {
				i = t.blank(i, &t.before[len(t.frames)%levels])
				if c = at(src, i); c == ',' {
					continue
				}
			}
			if c != f.end {
				return t.fail(codeSyntax, i)
			}
			if c == '}' {
				if !f.inOrder && !t.reorder(f, i) {
					return -1
				}
				t.members = t.members[:f.members]
			}
			i++
			t.frames = t.frames[:len(t.frames)-1]
			f = &t.frames[len(t.frames)-1]
			if n := len(t.members); n > 0 {
				last = t.members[n-1].prefix
			}
		}

	inside:
		// Three: a member or an element is due at i.
		if f.end == ']' {
			if t.valuesLeft--; t.valuesLeft < 0 {
				return t.fail(codeCount, i)
			}
			continue
		}
		n := len(t.members)
		if n == cap(t.members) {
			t.members = slices.Grow(t.members, 1)
		}
		t.members = t.members[:n+1] // append would clear and copy seven words
		m := &t.members[n]
		m.src, m.start, m.objects = i, i-t.gap, len(t.objects)

		var prefix uint64
		if i+18 <= len(src) && src[i] == '"' {
			// A short ASCII name is in two words, and the first is its prefix.
			b := src[i+1 : i+18]
			x, size := binary.LittleEndian.Uint64(b), 0
			if s := unusual(x); s != 0 {
				size = bits.TrailingZeros64(s) >> 3
				prefix = bits.ReverseBytes64(x & ((s&-s)>>7 - 1))
			} else if s := unusual(binary.LittleEndian.Uint64(b[8:])); s != 0 {
				size = bits.TrailingZeros64(s)>>3 + 8
				prefix = bits.ReverseBytes64(x)
			} else {
				goto longName
			}
			if b[size] != '"' {
				goto longName
			}
			m.prefix, m.size, m.escaped = prefix, size, false
			i += size + 2
			goto named
		}
	longName:
		if i = t.longName(i, m); i < 0 {
			return i
		}
		prefix = m.prefix
	named:
		if last > prefix {
			f.inOrder = false
		} else if last == prefix && f.inOrder && n > f.members && !t.ordered(f, n) {
			return -1
		}
		last = prefix
		if t.valuesLeft--; t.valuesLeft < 0 {
			return t.fail(codeCount, m.src)
		}
		if i+2 >= len(src) || src[i] != ':' {
			i = t.colon(i)
		} else if i++; src[i] <= ' ' {
			if src[i] != ' ' || src[i+1] <= ' ' {
				i = t.space(i)
			} else {
				// This is skip(i, i+1) for a short run.
				n := t.done - t.gap
				if i-t.done <= chunk && t.done+chunk <= len(src) && n+chunk <= len(t.memory) {
					copyChunk((*[chunk]byte)(t.memory[n:n+chunk]), (*[chunk]byte)(src[t.done:t.done+chunk]))
				} else {
					t.copyRun(i)
				}
				i++
				t.gap++
				t.done = i
			}
		}
		if i < 0 {
			return i
		}
	}
}

// open opens a frame for the bracket c at i, and returns the position of what follows.
func (t *transformer) open(i int, c byte) int {
	k := len(t.frames)
	if k > t.depthLimit {
		return t.fail(codeDepth, i)
	}
	if k == cap(t.frames) {
		t.frames = slices.Grow(t.frames, 1)
	}
	t.frames = t.frames[:k+1]
	f := &t.frames[k]
	f.end, f.inOrder, f.start, f.members = c+2, true, i-t.gap, len(t.members)
	i++
	if at(t.src, i) <= ' ' {
		i = t.blank(i, &t.between[len(t.frames)%levels])
	}
	return i
}

// longName scans any string at i as the name of m and returns the position after it.
func (t *transformer) longName(i int, m *member) int {
	if at(t.src, i) != '"' {
		return t.fail(codeSyntax, i)
	}
	end := t.str(i, i+1)
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

// literal scans true, false or null, which begins with c.
func (t *transformer) literal(i int, c byte) int {
	want := "null"
	switch c {
	case 't':
		want = "true"
	case 'f':
		want = "false"
	}
	for k := range len(want) {
		if at(t.src, i+k) != want[k] {
			return t.fail(codeSyntax, i+k)
		}
	}
	return i + len(want)
}
