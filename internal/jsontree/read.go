package jsontree

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/runattest/runattest/canonical"
)

// Read checks JSON text under rules and indexes its canonical form, which is Raw of the value: a part of text where that is
// canonical already, and else in new memory. It refuses what rules.Form refuses. The tree must not outlive changes to text.
func Read(text []byte, rules canonical.Options) (Value, error) {
	m := Borrow()
	defer m.Return()
	v, err := m.Read(text, rules)
	if err != nil {
		return Value{}, err
	}
	return v.copied(), nil
}

// copied is v, the root of its tree, in memory of its own.
func (v Value) copied() Value {
	return Value{&tree{v.t.text, slices.Clone(v.t.nodes), v.t.plain, v.t.bare}, 0}
}

// Borrow is Memory that was used before. Return gives it back: a value that was read into it must not be used after that.
func Borrow() *Memory {
	m, _ := memories.Get().(*Memory)
	return m
}

// Return gives back what Borrow gave.
func (m *Memory) Return() {
	if m.Forget(); cap(m.tree.nodes) <= manyNodes {
		memories.Put(m)
	}
}

var memories = sync.Pool{New: func() any { return new(Memory) }}

// manyNodes are not worth keeping memory for.
const manyNodes = 1 << 12

// Read is the function Read for a tree that lives until the next call.
func (m *Memory) Read(text []byte, rules canonical.Options) (Value, error) {
	if m.readCanonical(text, rules) {
		return Value{&m.tree, 0}, nil
	}
	form, err := rules.Form(text)
	if err != nil {
		return Value{}, err
	}
	return m.Parse(form)
}

// anyRules are for text that canonical has written.
var anyRules = canonical.Options{MaxDepth: 256, MaxValues: math.MaxInt}

// readCanonical checks and indexes in one pass an object in canonical form, with white space around it at most. It is false
// where the text is anything else, or would take a longer look: an exponent, a number of more than 15 digits, a name beyond
// ASCII. What it accepts, rules.Form returns as it stands.
func (m *Memory) readCanonical(text []byte, rules canonical.Options) bool {
	if text = trimmed(text); uint64(len(text)) > math.MaxUint32 || at(text, 0) != '{' {
		return false
	}
	r := reader{tree: tree{text: text, nodes: m.tree.nodes[:0]}, depth: rules.MaxDepth, most: rules.MaxValues}
	end := r.value(0, 0, 0)
	m.tree = r.tree
	m.tree.plain = end == len(text)
	m.tree.bare = m.tree.plain && !r.escaped
	return end == len(text)
}

// trimmed is text without white space around it.
func trimmed(text []byte) []byte {
	if at(text, 0) == '{' && text[len(text)-1] == '}' { // as almost always
		return text
	}
	return bytes.Trim(text, " \t\r\n")
}

// reader reads canonical text. Its methods take the position of what they read and return that of what follows, or -1.
type reader struct {
	tree
	depth   int  // how many more arrays and objects may be opened
	most    int  // members and elements
	escaped bool // there is an escape sequence

	keep     bool     // members are in any order, and numbers as they are spelled
	prefixes []uint64 // then of the names so far of the objects that are open
}

// value reads the value at i, with the name that is from nameStart to nameEnd.
func (r *reader) value(i, nameStart, nameEnd int) int {
	k := len(r.nodes)
	if k > r.most {
		return -1
	}
	if k < cap(r.nodes) {
		r.nodes = r.nodes[:k+1]
	} else {
		r.nodes = append(r.nodes, node{})
	}
	n := &r.nodes[k] // which is written here member by member: a node that is copied waits until it is put together
	n.start, n.nameStart, n.nameEnd = uint32(i), uint32(nameStart), uint32(nameEnd)
	kind, end := String, 0
	switch c := at(r.text, i); c {
	case '"':
		end = r.str(i)
	case '{':
		kind, end = Object, r.object(i)
	case '[':
		kind, end = Array, r.array(i)
	case 't':
		kind, end = Bool, r.literal(i, "true")
	case 'f':
		kind, end = Bool, r.literal(i, "false")
	case 'n':
		kind, end = Null, r.literal(i, "null")
	default:
		kind, end = Number, r.number(i)
	}
	v := &r.nodes[k]
	v.kind, v.end, v.next = kind, uint32(end), uint32(len(r.nodes))
	return end
}

func (r *reader) object(i int) int {
	if r.depth--; r.depth < 0 {
		return -1
	}
	i++
	if at(r.text, i) == '}' {
		r.depth++
		return i + 1
	}
	object, first := len(r.nodes)-1, len(r.prefixes)
	var last uint64 // the first eight bytes of the name before
	var before []byte
	for {
		start := i + 1
		if at(r.text, i) != '"' {
			return -1
		}
		end := usual(r.text, start, ^uint64(0))
		if at(r.text, end) != '"' || at(r.text, end+1) != ':' {
			return -1
		}
		name := r.text[start:end]
		x := prefix(r.text, start, end-start)
		if r.keep {
			r.prefixes = append(r.prefixes, x)
		} else if before != nil && (x < last || x == last && bytes.Compare(before, name) >= 0) {
			return -1
		}
		last, before = x, name
		i = r.value(end+2, start, end)
		if i < 0 {
			return -1
		}
		switch at(r.text, i) {
		case ',':
			i++
		case '}':
			r.depth++
			if r.keep && !r.distinct(object, first) {
				return -1
			}
			return i + 1
		default:
			return -1
		}
	}
}

func (r *reader) array(i int) int {
	if r.depth--; r.depth < 0 {
		return -1
	}
	i++
	if at(r.text, i) == ']' {
		r.depth++
		return i + 1
	}
	for {
		if i = r.value(i, 0, 0); i < 0 {
			return -1
		}
		switch at(r.text, i) {
		case ',':
			i++
		case ']':
			r.depth++
			return i + 1
		default:
			return -1
		}
	}
}

// str reads a string without \u: what RFC 8785 spells so is rare.
func (r *reader) str(i int) int {
	start := i + 1
	ascii := ^uint64(0)
	for i = start; ; {
		i = usual(r.text, i, ascii)
		switch c := at(r.text, i); {
		case c == '"':
			if ascii == 0 && !utf8.Valid(r.text[start:i]) {
				return -1
			}
			return i + 1
		case c == '\\' && strings.IndexByte(`"\bfnrt`, at(r.text, i+1)) >= 0:
			i += 2
			r.escaped = true
		case c >= utf8.RuneSelf:
			ascii = 0
		default:
			return -1
		}
	}
}

// number reads an integer or a decimal fraction of at most 15 digits. RFC 8785 spells the double next to it so, unless that is
// below a millionth.
func (r *reader) number(i int) int {
	const most = 15
	negative := at(r.text, i) == '-'
	if negative {
		i++
	}
	start, end := i, r.digits(i)
	zero, digits := at(r.text, start) == '0', end-start
	if digits == 0 || zero && digits > 1 {
		return -1
	}
	if r.keep {
		return r.spelled(i, end)
	}
	if at(r.text, end) != '.' {
		if digits > most || zero && negative {
			return -1
		}
		return end
	}
	fraction := end + 1
	end = r.digits(fraction)
	digits += end - fraction
	if end == fraction || digits > most || r.text[end-1] == '0' || zero && bytes.HasPrefix(r.text[fraction:end], []byte("000000")) {
		return -1
	}
	return end
}

func (r *reader) digits(i int) int {
	for c := at(r.text, i); c >= '0' && c <= '9'; c = at(r.text, i) {
		i++
	}
	return i
}

func (r *reader) literal(i int, want string) int {
	if len(r.text)-i < len(want) || string(r.text[i:i+len(want)]) != want {
		return -1
	}
	return i + len(want)
}

// at is the byte at i, or 0, which no JSON text has outside a string, at the end.
func at(text []byte, i int) byte {
	if uint(i) < uint(len(text)) {
		return text[i]
	}
	return 0
}

// prefix is the first eight bytes of the name at i, of size bytes, in big-endian order.
func prefix(text []byte, i, size int) uint64 {
	if i+8 <= len(text) {
		x := binary.BigEndian.Uint64(text[i:])
		if size < 8 {
			x &^= ^uint64(0) >> (8 * size)
		}
		return x
	}
	var b [8]byte
	copy(b[:], text[i:i+size])
	return binary.BigEndian.Uint64(b[:])
}

// usual is the position of the first quote, backslash or control character at or after i, or byte from 0x80 where ascii has
// all bits set and not 0; or len(text).
func usual(text []byte, i int, ascii uint64) int {
	for long := i + 24; i+8 <= len(text); i += 8 { // most strings are short
		if i == long {
			i = ordinary(text, i, ascii)
		}
		if found := unusual(text[i:], ascii); found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < ' ' || uint64(c)&ascii >= 0x80 {
			break
		}
	}
	return i
}

// ordinary goes over 32 bytes at a time in which nothing is unusual, with one branch, as long as there are as many again.
func ordinary(text []byte, i int, ascii uint64) int {
	for ; i+64 <= len(text); i += 32 {
		b := text[i : i+32]
		if unusual(b, ascii)|unusual(b[8:], ascii)|unusual(b[16:], ascii)|unusual(b[24:], ascii) != 0 {
			break
		}
	}
	return i
}

const (
	ones     = 0x0101010101010101
	highBits = 0x80 * ones
)

// unusual has the high bit set of the first of eight bytes that usual looks for; the bits above it mean nothing.
func unusual(b []byte, ascii uint64) uint64 {
	// Subtracting borrows only from above a match, so that the lowest bit is exact. With bit 1 flipped a quote is a space, and
	// the control characters are still below it.
	x := binary.LittleEndian.Uint64(b)
	below, backslash := (x^2*ones)-'!'*ones, (x^'\\'*ones)-ones
	return ((below|backslash)&^x | x&ascii) & highBits
}
