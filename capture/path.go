package capture

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"github.com/runattest/runattest/canonical"
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
	b := make([]byte, 0, 64)
	for _, s := range t {
		b = append(b, '/')
		if s.name == nil {
			b = strconv.AppendInt(b, int64(s.index), 10)
		} else {
			b = append(b, s.name...)
			if bytes.ContainsAny(s.name, "~/") {
				b = append(b[:len(b)-len(s.name)], jsontree.EscapePointer(string(s.name))...)
			}
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
		return canonical.Compare(string(a.name), string(b.name))
	})
}
