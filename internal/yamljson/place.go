package yamljson

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/runattest/runattest/internal/jsontree"
)

// Place is where the n-th character of the string that a pointer names stands: an
// expression inside a document has places of its own.
func (d *Document) Place(pointer string, n int) (line, column int) {
	node := d.find(pointer)
	if node.Kind != yaml.ScalarNode {
		return node.Line, node.Column
	}
	offset := d.offset(node.Line, node.Column)
	style := plain
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		end := bytes.IndexByte(d.src[offset:], '\n') // of the line with the indicator
		offset += end + 1
	case node.Style&yaml.SingleQuotedStyle != 0:
		style, offset = single, offset+1
	case node.Style&yaml.DoubleQuotedStyle != 0:
		style, offset = double, offset+1
	}
	return LineColumn(d.src, walk(d.src, offset, style, node.Value, n))
}

// begin is where a value, or the name of a member, begins in the JSON text.
type begin struct {
	offset int
	node   *yaml.Node // the value
}

func (d *Document) mark(n *yaml.Node) {
	if d.marking {
		d.begins = append(d.begins, begin{len(d.JSON), n})
	}
}

// LocateJSON is where the value stands to which an offset of the JSON text belongs, or a member's name there.
func (d *Document) LocateJSON(offset int) (line, column int) {
	if d.begins == nil {
		again := &Document{src: d.src, root: d.root, stray: d.stray, marking: true}
		again.value(d.root)
		d.begins = again.begins
	}
	after := sort.Search(len(d.begins), func(i int) bool { return d.begins[i].offset > offset })
	n := d.begins[max(after-1, 0)].node
	return n.Line, n.Column
}

// PlaceJSON is Place for the JSON string at an offset of src, which says value.
func PlaceJSON(src []byte, offset int, value string, n int) (line, column int) {
	return LineColumn(src, walk(src, offset+1, double, value, n))
}

// quoting is how the characters of a scalar are written.
type quoting int

const (
	plain quoting = iota
	single
	double
)

// walk is the offset in src of the n-th character of value, which begins at offset. Whatever
// folding and indentation do to white space, the other characters stand in their order.
func walk(src []byte, offset int, style quoting, value string, n int) int {
	i := 0
	for _, r := range value {
		if i == n {
			if !unicode.IsSpace(r) {
				offset = skipSpace(src, offset, style)
			}
			return min(offset, len(src))
		}
		i++
		if !unicode.IsSpace(r) {
			offset = skipSpace(src, offset, style)
			offset += width(src, offset, style)
		}
	}
	return min(offset, len(src))
}

func skipSpace(src []byte, offset int, style quoting) int {
	for offset < len(src) {
		r, size := utf8.DecodeRune(src[offset:])
		switch {
		case unicode.IsSpace(r):
			offset += size
		case style == double && r == '\\' && isSpaceEscape(src[offset:]):
			offset += width(src, offset, style)
		default:
			return offset
		}
	}
	return offset
}

// isSpaceEscape tells that the escape with which text begins stands for white space, or joins two lines.
func isSpaceEscape(text []byte) bool {
	if len(text) < 2 {
		return false
	}
	if digits := width(text, 0, double) - 2; digits > 0 && len(text) >= 2+digits {
		n, err := strconv.ParseUint(string(text[2:2+digits]), 16, 32)
		return err == nil && unicode.IsSpace(rune(n))
	}
	return strings.IndexByte("ntrvfNLP_ \n\r\t", text[1]) >= 0
}

// width is how many bytes one character takes in src.
func width(src []byte, offset int, style quoting) int {
	if offset >= len(src) {
		return 0
	}
	if style == single && src[offset] == '\'' {
		return 2
	}
	if style == double && src[offset] == '\\' && offset+1 < len(src) {
		switch src[offset+1] {
		case 'x':
			return 4
		case 'u':
			return 6
		case 'U':
			return 10
		}
		return 2
	}
	_, size := utf8.DecodeRune(src[offset:])
	return size
}

// NullText is how the null that a pointer names is written: "" if it is a key's or an element's that has no value.
func (d *Document) NullText(pointer string) (text string, isElement, ok bool) {
	n := d.find(pointer)
	if !isPlain(n) || coreType(n.Value) != jsontree.Null {
		return "", false, false
	}
	parent := d.find(pointer[:max(strings.LastIndexByte(pointer, '/'), 0)])
	return n.Value, parent.Kind == yaml.SequenceNode, true
}

// IsLiteral tells that the scalar at a pointer is a literal block, whose text is read as it stands.
func (d *Document) IsLiteral(pointer string) bool {
	n := d.find(pointer)
	return n.Kind == yaml.ScalarNode && n.Style&yaml.LiteralStyle != 0
}

// mark is a place in a text: a line and a column, both from 1, the column in characters.
type mark struct{ line, column, offset int }

// offset is that of a line and a column. Places are best asked for in the order of the text: it goes on
// from the last one where it can.
func (d *Document) offset(line, column int) int {
	m := d.last
	if line < m.line || line == m.line && column < m.column || m.line == 0 {
		m = mark{1, 1, 0}
	}
	for m.line < line {
		end := bytes.IndexByte(d.src[m.offset:], '\n')
		if end < 0 {
			return len(d.src)
		}
		m = mark{m.line + 1, 1, m.offset + end + 1}
	}
	for ; m.column < column && m.offset < len(d.src); m.column++ {
		_, size := utf8.DecodeRune(d.src[m.offset:])
		m.offset += size
	}
	d.last = m
	return m.offset
}
