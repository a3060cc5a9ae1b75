package capture

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/runattest/runattest/internal/jsontree"
)

// A step leads to a member, or, where name is nil, to an element.
type step struct {
	name  []byte
	index int
}

// A trail leads from the body to a value in it.
type trail []step

// String is the trail's RFC 6901 pointer.
func (t trail) String() string {
	var b []byte
	for _, s := range t {
		b = append(b, '/')
		if s.name == nil {
			b = strconv.AppendInt(b, int64(s.index), 10)
		} else {
			b = append(b, jsontree.EscapePointer(string(s.name))...)
		}
	}
	return string(b)
}

// size is at least the length of the pointer in bytes, escapes aside.
func (t trail) size() int {
	n := 0
	for _, s := range t {
		n += 8 + len(s.name)
	}
	return n
}

// compareTrails orders values as the canonical form of the body has them.
func compareTrails(a, b trail) int {
	return slices.CompareFunc(a, b, func(a, b step) int {
		if a.name == nil || b.name == nil {
			return cmp.Compare(a.index, b.index)
		}
		return compareNames(string(a.name), string(b.name))
	})
}

// compareNames orders names as RFC 8785 section 3.2.3 does, by their UTF-16 code units. That is the order of their bytes
// unless one has a character from U+E000 on.
func compareNames(a, b string) int {
	beyond := func(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r >= 0xE000 }) >= 0 }
	if !beyond(a) || !beyond(b) {
		return strings.Compare(a, b)
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}
