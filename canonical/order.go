package canonical

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Compare orders member names as RFC 8785 section 3.2.3 does, by their UTF-16 code units.
// It returns -1, 0 or +1. Both must be valid UTF-8, unescaped.
func Compare(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return cmp.Compare(weight(a[i]), weight(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

// weight orders the bytes of UTF-8 as UTF-16 orders what they begin. The two orders differ
// in one place: U+E000 to U+FFFF, lead bytes EE and EF, come after the characters that
// need surrogates, lead bytes F0 to F4.
func weight(c byte) byte {
	if c == 0xEE || c == 0xEF {
		return c + 0x10
	}
	return c
}

// A member is a member of an open object.
type member struct {
	prefix  uint64 // weights of the name's first eight bytes, the first in the highest place
	size    int    // of the name in src, without quotes
	escaped bool   // the name has escape sequences
	piece
}

// setName gives m the name src[start:end].
func (t *transformer) setName(m *member, start, end int) {
	name := t.src[start:end]
	m.size, m.escaped = len(name), t.escaped
	if t.escaped {
		t.name1 = appendUnescaped(t.name1[:0], name)
		name = t.name1
	}
	m.prefix = prefix(name)
}

func prefix(name []byte) uint64 {
	if len(name) >= 8 {
		if x := binary.BigEndian.Uint64(name); x&highBits == 0 {
			return x
		}
	}
	var x uint64
	for i := range min(len(name), 8) {
		x |= uint64(weight(name[i])) << (56 - 8*i)
	}
	return x
}

// compare orders two members by name.
func (t *transformer) compare(a, b *member) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	x := t.src[a.start+1 : a.start+1+a.size]
	y := t.src[b.start+1 : b.start+1+b.size]
	if a.escaped {
		t.name1 = appendUnescaped(t.name1[:0], x)
		x = t.name1
	}
	if b.escaped {
		t.name2 = appendUnescaped(t.name2[:0], y)
		y = t.name2
	}
	return compareNames(x, y)
}

func compareNames(a, b []byte) int {
	n := min(len(a), len(b))
	for i := 0; i < n; i++ {
		if i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
			i += 7
			continue
		}
		if a[i] != b[i] {
			return cmp.Compare(weight(a[i]), weight(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

// ordered notes whether b follows a, its predecessor in the object f. It fails on a duplicate.
func (t *transformer) ordered(f *frame, a, b *member) bool {
	switch c := t.compare(a, b); {
	case c == 0:
		t.fail(codeDuplicate, b.start)
		return false
	case c > 0:
		f.inOrder = false
	}
	return true
}

// closeObject ends the object f with the bracket at i and returns the position after it.
func (t *transformer) closeObject(i int, f *frame) int {
	if !f.inOrder {
		if !t.reorder(f, i) {
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

// A rank is a member and the part of its name that settles most comparisons.
type rank struct {
	prefix uint64
	index  int
}

// fewMembers are sorted by insertion.
const fewMembers = 16

// reorder notes for emit in what order it shall write the members of f, which closes at i.
func (t *transformer) reorder(f *frame, i int) bool {
	members := t.members[f.members:]
	members[len(members)-1].end = i
	t.ranked = slices.Grow(t.ranked[:0], len(members))[:len(members)]
	if len(members) <= fewMembers {
		if !t.insertionSort(members) {
			return false
		}
	} else if t.sort(members); !t.unique(members) {
		return false
	}
	o := &t.objects[f.object]
	first := len(t.pieces)
	t.pieces = slices.Grow(t.pieces, len(members))[:first+len(members)]
	n := first
	for k, r := range t.ranked {
		m := &members[r.index]
		if k > 0 && r.index == t.ranked[k-1].index+1 {
			t.pieces[n-1].end = m.end // it follows in the text too
			continue
		}
		t.pieces[n] = m.piece
		n++
	}
	t.pieces = t.pieces[:n]
	o.end, o.edit, o.next, o.pieces, o.piecesEnd = i, len(t.edits), len(t.objects), first, len(t.pieces)
	return true
}

// insertionSort fills t.ranked. It fails on a duplicate.
func (t *transformer) insertionSort(members []member) bool {
	ranked := t.ranked
	for k := range members {
		x := members[k].prefix
		at := k
		for at > 0 && x <= ranked[at-1].prefix {
			if x == ranked[at-1].prefix {
				c := t.compare(&members[k], &members[ranked[at-1].index])
				if c == 0 {
					t.fail(codeDuplicate, members[k].start)
					return false
				}
				if c > 0 {
					break
				}
			}
			ranked[at] = ranked[at-1]
			at--
		}
		ranked[at] = rank{x, k}
	}
	return true
}

// sort fills t.ranked. Equal names stay in the order of the text.
func (t *transformer) sort(members []member) {
	for k := range members {
		t.ranked[k] = rank{members[k].prefix, k}
	}
	slices.SortFunc(t.ranked, func(a, b rank) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		if c := t.compare(&members[a.index], &members[b.index]); c != 0 {
			return c
		}
		return a.index - b.index
	})
}

// unique looks for neighbours with one name in t.ranked; of several it reports the one
// whose second member comes first in the text.
func (t *transformer) unique(members []member) bool {
	first := -1
	for k := 1; k < len(t.ranked); k++ {
		a, b := t.ranked[k-1], t.ranked[k]
		if a.prefix == b.prefix && t.compare(&members[a.index], &members[b.index]) == 0 && (first < 0 || b.index < first) {
			first = b.index
		}
	}
	if first >= 0 {
		t.fail(codeDuplicate, members[first].start)
	}
	return first < 0
}
