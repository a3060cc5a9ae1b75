// Package jsontree reads values out of JSON text that the canonical package has
// written, in canonical or compact form: valid, without duplicates or white space. It keeps offsets, not
// copies, so that the bytes of any value can be hashed as they stand.
package jsontree

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"iter"
	"math/bits"
	"strings"
)

// Kind is the type of a JSON value.
type Kind byte

// The kinds. Absent is the kind of the zero Value: no such member.
const (
	Absent Kind = iota
	Object
	Array
	String
	Number
	Bool
	Null
)

func (k Kind) String() string {
	return [...]string{"absent", "object", "array", "string", "number", "boolean", "null"}[k]
}

// node is one value: text[start:end], its member name if it has one, and the
// index of the node that follows its subtree. While the parser is in it, next is 1 + the index of the container around it.
type node struct {
	start, end         uint32
	nameStart, nameEnd uint32 // without quotes
	next               uint32
	kind               Kind
}

type tree struct {
	text  []byte
	nodes []node
	plain bool // no name has an escape sequence
	bare  bool // no string has one, either
}

// Value is one value of a tree. The zero Value is absent.
type Value struct {
	t *tree
	i uint32
}

var errNotCanonical = errors.New("jsontree: text is not in canonical form")

// Parse indexes text, which must be the output of the canonical package, canonical or compact: it checks no more
// than it needs, and a value with a broken escape panics when it is read.
// The tree refers to text and must not outlive changes to it.
func Parse(text []byte) (Value, error) {
	m := Borrow()
	defer m.Return()
	if m.readCanonical(text, anyRules) {
		return Value{&m.tree, 0}.copied(), nil
	}
	return parse(text, min(16+len(text)/24, 4096))
}

// A Span is a part of a text.
type Span struct{ Start, End int }

// ParseAround is Parse for text in which some strings, with their quotation marks, stand at spans, in their order: they are not read.
func ParseAround(text []byte, spans []Span) (Value, error) {
	p := parser{tree: &tree{text: text, nodes: make([]node, 0, 64+4*len(spans))}, spans: spans}
	if err := p.run(); err != nil {
		return Value{}, err
	}
	return Value{p.tree, 0}, nil
}

// Memory is memory for trees, one at a time. The zero Memory is ready for use.
type Memory struct {
	tree     tree
	compact  []byte   // the text, where that was not compact
	prefixes []uint64 // of reader
}

// Forget lets go of the text that was read, and keeps the memory.
func (m *Memory) Forget() { m.tree.text = nil }

// Parse is the function Parse for a tree that lives until the next call.
func (m *Memory) Parse(text []byte) (Value, error) {
	if m.tree.nodes == nil {
		m.tree.nodes = make([]node, 0, density(text))
	}
	m.tree = tree{text: text, nodes: m.tree.nodes[:0]}
	p := parser{tree: &m.tree}
	if err := p.run(); err != nil {
		return Value{}, err
	}
	return Value{p.tree, 0}, nil
}

// density is about how many values a text has.
func density(text []byte) int {
	n := 1
	for _, c := range []string{",", "[", "{"} {
		n += bytes.Count(text, []byte(c))
	}
	return min(n, 16+len(text)/8)
}

func parse(text []byte, nodes int) (Value, error) {
	p := parser{tree: &tree{text: text, nodes: make([]node, 0, nodes)}}
	if err := p.run(); err != nil {
		return Value{}, err
	}
	return Value{p.tree, 0}, nil
}

// parser fills a tree in one pass.
type parser struct {
	*tree
	spans []Span // of strings that are not read yet
}

func (p *parser) run() error {
	text, nodes := p.text, p.nodes
	pos := 0
	open := uint32(0) // 1 + the index of the innermost container that is not closed yet, 0 for none
	inObject := false // it is an object
	for {
		// A value is due, in an object behind its name.
		n := node{}
		if inObject {
			end := p.stringEnd(pos)
			if end < 0 || end >= len(text) || text[end] != ':' {
				return errNotCanonical
			}
			n.nameStart, n.nameEnd = uint32(pos+1), uint32(end-1)
			pos = end + 1
		}
		if pos >= len(text) {
			return errNotCanonical
		}
		n.start = uint32(pos)
		switch c := text[pos]; {
		case c == '"':
			if pos = p.stringEnd(pos); pos < 0 {
				return errNotCanonical
			}
			n.kind = String
		case c == '{' || c == '[':
			n.kind, n.next = Object, open
			if inObject = c == '{'; !inObject {
				n.kind = Array
			}
			pos++
			nodes = append(nodes, n)
			open = uint32(len(nodes))
			if pos < len(text) && text[pos] != '}' && text[pos] != ']' {
				continue
			}
		case c == '-' || c >= '0' && c <= '9':
			n.kind, pos = Number, scalarEnd(text, pos)
		case c == 't' || c == 'f':
			n.kind, pos = Bool, scalarEnd(text, pos)
		case c == 'n':
			n.kind, pos = Null, scalarEnd(text, pos)
		default:
			return errNotCanonical
		}
		if n.kind != Object && n.kind != Array {
			n.end, n.next = uint32(pos), uint32(len(nodes)+1)
			nodes = append(nodes, n)
		}

		// Containers may end here, and a comma is before the next value.
		for ; open > 0; pos++ {
			if pos >= len(text) {
				return errNotCanonical
			}
			top, c := &nodes[open-1], text[pos]
			if c == ',' {
				pos++
				break
			}
			if c != '}' && c != ']' || c == '}' != inObject {
				return errNotCanonical
			}
			open, top.end, top.next = top.next, uint32(pos+1), uint32(len(nodes))
			inObject = open > 0 && nodes[open-1].kind == Object
		}
		if open == 0 {
			p.nodes = nodes
			if pos != len(text) {
				return errNotCanonical
			}
			return nil
		}
	}
}

// scalarEnd is where a number, true, false or null ends.
func scalarEnd(text []byte, pos int) int {
	for pos < len(text) && text[pos] != ',' && text[pos] != ']' && text[pos] != '}' {
		pos++
	}
	return pos
}

// stringEnd is the offset behind the closing quote of the string at pos, or -1.
func (p *parser) stringEnd(pos int) int {
	text := p.text
	if pos >= len(text) || text[pos] != '"' {
		return -1
	}
	if len(p.spans) > 0 && p.spans[0].Start == pos {
		end := p.spans[0].End
		p.spans = p.spans[1:]
		return end
	}
	quote := -1
	for i := pos + 1; i < len(text); {
		if i+16 <= len(text) {
			b := text[i : i+16]
			x, y := delimiters(binary.LittleEndian.Uint64(b)), delimiters(binary.LittleEndian.Uint64(b[8:]))
			switch {
			case x != 0:
				i += bits.TrailingZeros64(x) >> 3
			case y != 0:
				i += 8 + bits.TrailingZeros64(y)>>3
			default:
				if i += 16; i-pos > long {
					i, quote = p.skip(i, quote)
				}
				continue
			}
		}
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
	return -1
}

// long is the length of strings in which delimiters are looked for in large steps.
const long = 64

// skip is where the next delimiter is from i on, and the next quotation mark; quote is one that was found before.
func (p *parser) skip(i, quote int) (delimiter, nextQuote int) {
	text := p.text
	if quote < i {
		if quote = bytes.IndexByte(text[i:], '"'); quote < 0 {
			return len(text), -1
		}
		quote += i
	}
	if backslash := bytes.IndexByte(text[i:quote], '\\'); backslash >= 0 {
		return i + backslash, quote
	}
	return quote, quote
}

// delimiters has the high bit of the first byte of x that is a quotation mark or a backslash set, and of none before it.
func delimiters(x uint64) uint64 {
	const ones = 0x0101010101010101
	quote, backslash := x^ones*'"', x^ones*'\\'
	return ((quote-ones)&^quote | (backslash-ones)&^backslash) & (ones << 7)
}

func (v Value) node() *node { return &v.t.nodes[v.i] }

// Kind is the value's type, Absent for the zero Value.
func (v Value) Kind() Kind {
	if v.t == nil {
		return Absent
	}
	return v.node().kind
}

// Raw is the canonical text of the value, a part of the text that was parsed.
func (v Value) Raw() []byte {
	if v.t == nil {
		return nil
	}
	n := v.node()
	return v.t.text[n.start:n.end:n.end]
}

// Text is the content of a string, and "" for every other kind.
func (v Value) Text() string {
	if v.Kind() != String {
		return ""
	}
	raw := v.Raw()
	return string(unquote(raw[1 : len(raw)-1]))
}

// Bytes is Text without a copy where the string holds no escape. It must not be changed.
func (v Value) Bytes() []byte {
	if v.Kind() != String {
		return nil
	}
	raw := v.Raw()
	if raw = raw[1 : len(raw)-1]; v.t.bare {
		return raw
	}
	return unquote(raw)
}

// Len is the number of members or elements.
func (v Value) Len() int {
	n := 0
	for c := v.First(); c.t != nil; c = c.After(v) {
		n++
	}
	return n
}

// Values is how many members and elements there are in v, at any depth.
func (v Value) Values() int {
	if v.t == nil {
		return 0
	}
	return int(v.node().next-v.i) - 1
}

// Depth is how deep arrays and objects nest in v: a scalar has depth 0, {} and [] 1.
func (v Value) Depth() int {
	if v.t == nil {
		return 0
	}
	most, open := 0, make([]uint32, 0, 64) // where the containers end that are open
	for i, end := v.i, v.node().next; i < end; i++ {
		for len(open) > 0 && i >= open[len(open)-1] {
			open = open[:len(open)-1]
		}
		if n := &v.t.nodes[i]; n.kind == Object || n.kind == Array {
			open = append(open, n.next)
			most = max(most, len(open))
		}
	}
	return most
}

// DeeperThan says whether Depth is more than most.
func (v Value) DeeperThan(most int) bool {
	if v.t == nil {
		return most < 0
	}
	containers := 0
	for i, end := v.i, v.node().next; i < end; i++ {
		if k := v.t.nodes[i].kind; k == Object || k == Array {
			containers++
		}
	}
	return containers > most && v.Depth() > most // there are at least as many as nest
}

// Has says that a value of that kind is in v, at any depth.
func (v Value) Has(k Kind) bool {
	if v.t == nil {
		return false
	}
	for i, end := v.i+1, v.node().next; i < end; i++ {
		if v.t.nodes[i].kind == k {
			return true
		}
	}
	return false
}

// Get returns the member of that name. It is absent if there is none, or v is not an object.
func (v Value) Get(name string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	nodes := v.t.nodes
	for i, end := v.i+1, v.node().next; i < end; i = nodes[i].next {
		if text := v.t.text[nodes[i].nameStart:nodes[i].nameEnd]; string(text) == name && v.t.plain || !v.t.plain && isNamed(text, name) {
			return Value{v.t, i}
		}
	}
	return Value{}
}

// isNamed compares a name in the text with one that is not escaped. An escape sequence is longer than what it stands for.
func isNamed(text []byte, name string) bool {
	switch {
	case len(text) < len(name):
		return false
	case len(text) == len(name):
		return string(text) == name && bytes.IndexByte(text, '\\') < 0
	}
	return bytes.IndexByte(text, '\\') >= 0 && string(unquote(text)) == name
}

// Members are the members of an object in the order of the text; none for another kind.
// The name is part of the text where it holds no escape, and must not be changed.
func (v Value) Members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for c := range v.children() {
			if !yield(c.Name(), c) {
				return
			}
		}
	}
}

// First is the first member or element, absent if there is none.
func (v Value) First() Value {
	if k := v.Kind(); k != Object && k != Array || v.node().next == v.i+1 {
		return Value{}
	}
	return Value{v.t, v.i + 1}
}

// After is the member or element of parent that follows v, which is one of them; absent after the last.
func (v Value) After(parent Value) Value {
	next := v.node().next
	if next == parent.node().next {
		return Value{}
	}
	return Value{v.t, next}
}

// Name is the name of a member, as Members has it.
func (v Value) Name() []byte {
	n := v.node()
	name := v.t.text[n.nameStart:n.nameEnd]
	if v.t.plain {
		return name
	}
	return unquote(name)
}

// Elements are the elements of an array with their index; none for another kind.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != Array {
			return
		}
		i := 0
		for c := range v.children() {
			if !yield(i, c) {
				return
			}
			i++
		}
	}
}

func (v Value) children() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if k := v.Kind(); k != Object && k != Array {
			return
		}
		for i, end := v.i+1, v.node().next; i < end; i = v.t.nodes[i].next {
			if !yield(Value{v.t, i}) {
				return
			}
		}
	}
}

// unquote takes the text between a canonical string's quotes.
func unquote(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	var s string
	quoted := make([]byte, 0, len(b)+2)
	quoted = append(append(append(quoted, '"'), b...), '"')
	if json.Unmarshal(quoted, &s) != nil {
		panic(errNotCanonical) // canonical wrote the escape: unreachable
	}
	return []byte(s)
}

// EscapePointer writes a member name as an RFC 6901 reference token.
func EscapePointer(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
