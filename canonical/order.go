package canonical

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Compare orders member names as RFC 8785 section 3.2.3 does, by their UTF-16 code units.
// It returns -1, 0 or +1. Both must be valid UTF-8, unescaped.
func Compare(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return cmp.Compare(rank(a[i]), rank(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

// rank orders the bytes of UTF-8 as UTF-16 orders what they begin. The two orders differ
// in one place: U+E000 to U+FFFF, lead bytes EE and EF, come after the characters that
// need surrogates, lead bytes F0 to F4.
func rank(c byte) byte {
	if c == 0xEE || c == 0xEF {
		return c + 0x10
	}
	return c
}

func compareBytes(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
		i += 8
	}
	for ; i < n; i++ {
		if a[i] != b[i] {
			return cmp.Compare(rank(a[i]), rank(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

// A member is a member of an open object.
type member struct {
	prefix uint64 // ranks of the name's first eight bytes, the first in the highest place
	name   int    // where the unescaped name stands: in src, or, as ^name, in names
	size   int
	offset int // where the name's string begins in src
	start  int // where the member begins in out
	end    int // where it ends, once its object is complete
	next   int // the first of objects that begins inside it or after it
}

// setName gives m the name whose string, with its quotes, is src[start:end].
func (t *transformer) setName(m *member, start, end int) {
	m.offset, m.name, m.size = start, start+1, end-start-2
	text := t.src
	at := m.name
	if t.escaped {
		at = len(t.names)
		t.names = appendUnescaped(t.names, t.src[start+1:end-1])
		m.name, m.size = ^at, len(t.names)-at
		text = t.names
	}
	if at+8 <= len(text) {
		m.prefix = binary.BigEndian.Uint64(text[at:])
		if m.size < 8 {
			m.prefix &= ^uint64(0) << (64 - 8*m.size)
		}
		if m.prefix&highBits == 0 {
			return
		}
	}
	m.prefix = 0
	for i := range min(m.size, 8) {
		m.prefix |= uint64(rank(text[at+i])) << (56 - 8*i)
	}
}

func (t *transformer) nameOf(m *member) []byte {
	if m.name < 0 {
		return t.names[^m.name : ^m.name+m.size]
	}
	return t.src[m.name : m.name+m.size]
}

func (t *transformer) compare(a, b *member) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	if bytes.Equal(t.nameOf(a), t.nameOf(b)) {
		return 0
	}
	return compareBytes(t.nameOf(a), t.nameOf(b))
}

// closeObject ends the object f with the bracket at i and returns the position after it.
func (t *transformer) closeObject(i int, f *frame) int {
	if !f.inOrder {
		if !t.reorder(f, t.position(i)) {
			return -1
		}
	} else if f.object == len(t.objects)-1 {
		t.objects = t.objects[:f.object]
	}
	t.members = t.members[:f.members]
	t.frames = t.frames[:len(t.frames)-1]
	t.depthLeft++
	return i + 1
}

// A rankedMember is a member and the part of its name that settles most comparisons.
type rankedMember struct {
	prefix uint64
	index  int
}

// reorder notes in what order emit shall write the members of f, which closes at end in out.
func (t *transformer) reorder(f *frame, end int) bool {
	members := t.members[f.members:]
	for k := range members[1:] {
		members[k].end = members[k+1].start - 1
	}
	members[len(members)-1].end = end
	t.ranked = t.ranked[:0]
	for k := range members {
		t.ranked = append(t.ranked, rankedMember{members[k].prefix, k})
	}
	slices.SortFunc(t.ranked, func(a, b rankedMember) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		if c := t.compare(&members[a.index], &members[b.index]); c != 0 {
			return c
		}
		return cmp.Compare(a.index, b.index)
	})
	if !t.unique(members) {
		return false
	}
	o := &t.objects[f.object]
	o.end, o.next, o.pieces = end, len(t.objects), len(t.pieces)
	for _, r := range t.ranked {
		m := &members[r.index]
		t.pieces = append(t.pieces, piece{m.start, m.end, m.next})
	}
	o.piecesEnd = len(t.pieces)
	return true
}

// unique looks for neighbours with one name in t.ranked; of several it reports the one
// whose second member comes first in the text.
func (t *transformer) unique(members []member) bool {
	first := -1
	for k := range t.ranked[1:] {
		a, b := t.ranked[k], t.ranked[k+1]
		if a.prefix == b.prefix && t.compare(&members[a.index], &members[b.index]) == 0 && (first < 0 || b.index < first) {
			first = b.index
		}
	}
	if first >= 0 {
		t.fail(codeDuplicate, members[first].offset)
	}
	return first < 0
}
