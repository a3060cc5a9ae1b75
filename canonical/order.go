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
	src     int    // where the name begins in src
	start   int    // where it begins in the flat text
	objects int    // the first of t.objects that can be in it
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
	x := t.src[a.src+1 : a.src+1+a.size]
	y := t.src[b.src+1 : b.src+1+b.size]
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

// compareNames is Compare for names in memory that is used again: it looks at eight bytes at a time.
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

// ordered notes whether member n belongs behind the one before it in the object f, which
// has the same prefix. It fails on a duplicate.
func (t *transformer) ordered(f *frame, n int) bool {
	m := &t.members[n]
	c := t.compare(&t.members[n-1], m)
	f.inOrder = c < 0
	if c == 0 {
		t.fail(codeDuplicate, m.src)
	}
	return c != 0
}

// fewMembers are sorted by insertion.
const fewMembers = 16

// reorder notes for emit in what order it shall write the members of f, which closes at i.
// It fails on a duplicate.
func (t *transformer) reorder(f *frame, i int) bool {
	members := t.members[f.members:]
	if t.keep {
		return t.distinct(members)
	}
	first, n := len(t.pieces), len(members)
	if first+n > cap(t.pieces) {
		t.pieces = slices.Grow(t.pieces, n)
	}
	t.pieces = t.pieces[:first+n]
	pieces := t.pieces[first:]
	end := i - t.gap
	if n > fewMembers || !t.insert(pieces, members, end) {
		t.sort(members)
		if !t.unique(members) {
			return false
		}
		for k, r := range t.ranked {
			pieces[k] = t.piece(members, r.index, end)
		}
	}
	t.objects = append(t.objects, object{})
	o := &t.objects[len(t.objects)-1]
	o.start, o.end, o.first, o.pieces, o.piecesEnd = f.start, end, members[0].objects, first, first+n
	return true
}

// distinct says whether all names differ, for text whose members stay in their order. It fails on a duplicate.
func (t *transformer) distinct(members []member) bool {
	t.prefixes = t.prefixes[:0]
	for k := range members {
		t.prefixes = append(t.prefixes, members[k].prefix)
	}
	slices.Sort(t.prefixes)
	for k := 1; k < len(t.prefixes); k++ {
		if t.prefixes[k] == t.prefixes[k-1] { // which does not tell the names apart
			t.sort(members)
			return t.unique(members)
		}
	}
	return true
}

// outermost links those of the objects from first up to last that are in no other, and
// returns the one that is first in the text, or -1.
func (t *transformer) outermost(first, last int) int {
	next := -1
	for k := last - 1; k >= first; {
		o := &t.objects[k]
		o.next = next
		next = k
		k = o.first - 1
	}
	return next
}

// piece is the member k of an object that ends at end.
func (t *transformer) piece(members []member, k, end int) piece {
	m := &members[k]
	last := len(t.objects)
	if k+1 < len(members) {
		end, last = members[k+1].start-1, members[k+1].objects
	}
	return piece{m.prefix, m.start, end, t.outermost(m.objects, last)}
}

// insert fills pieces with the members of an object that ends at end, in order. It fails if
// prefixes do not tell all names apart.
func (t *transformer) insert(pieces []piece, members []member, end int) bool {
	last := len(t.objects)
	for k := len(members) - 1; k >= 0; k-- {
		m := &members[k]
		x, j := m.prefix, k
		for ; j+1 < len(pieces) && pieces[j+1].prefix <= x; j++ {
			if pieces[j+1].prefix == x {
				return false
			}
			pieces[j] = pieces[j+1]
		}
		p := &pieces[j]
		p.prefix, p.start, p.end, p.inner = x, m.start, end, t.outermost(m.objects, last)
		end, last = m.start-1, m.objects
	}
	return true
}

// A rank is a member and the part of its name that settles most comparisons.
type rank struct {
	prefix uint64
	index  int
}

// sort fills t.ranked. Equal names stay in the order of the text.
func (t *transformer) sort(members []member) {
	t.ranked = slices.Grow(t.ranked[:0], len(members))[:len(members)]
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
		t.fail(codeDuplicate, members[first].src)
	}
	return first < 0
}
