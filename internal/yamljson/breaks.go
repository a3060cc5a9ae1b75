package yamljson

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Readers of YAML differ about some line breaks: the functions here find those, so that one text
// cannot be two values.

// CheckBreaks finds what ends a line, or is skipped, for some readers and not for others, wherever it stands.
func CheckBreaks(data []byte) *Problem {
	p := Problem{
		Code: "bom", Offset: bytes.Index(data, []byte("\ufeff")),
		Message: "a byte order mark inside the text, which some YAML readers skip", Hint: `remove it; in text, write it as an escape in double quotes: "\ufeff"`,
	}
	if p.Offset < 0 {
		p = Problem{
			Code: "yaml-break", Offset: oddBreak(data),
			Message: "a character that ends a line for some YAML readers and not for others (U+0085, U+2028, U+2029, or a carriage return alone)",
			Hint:    `write it as an escape in double quotes: "\x85", "\u2028", "\u2029", "\r"; end lines with a line feed`,
		}
	}
	switch {
	case p.Offset < 0:
		return nil
	case data[p.Offset] == '\r' && bytes.IndexByte(data, '\n') < 0:
		p.Message, p.Hint = "lines end with a carriage return alone, which some YAML readers do not take for an end", `convert it: tr '\r' '\n' < FILE > NEW`
	case data[p.Offset] == '\r':
		p.Message, p.Hint = "a carriage return without a line feed, which ends a line for some YAML readers and not for others", `remove it; in text, write it as an escape in double quotes: "\r"`
	}
	p.Line, p.Column = LineColumn(data, p.Offset)
	return &p
}

// oddBreak is the offset of the first line break that not all readers of YAML take for one, or -1.
func oddBreak(data []byte) int {
	first := bytes.IndexAny(data, "\u0085\u2028\u2029")
	for i := 0; ; i++ {
		cr := bytes.IndexByte(data[i:], '\r')
		if cr < 0 || first >= 0 && i+cr > first {
			return first
		}
		if i += cr; i+1 == len(data) || data[i+1] != '\n' {
			return i
		}
	}
}

// endsInTwoWays tells whether the value depends on how the file ends: a reader may add the newline
// that is missing at its end, and may take a last line of blanks for one that is not there.
func (d *Document) endsInTwoWays(noun string, l Limits) bool {
	if bytes.HasSuffix(d.src, []byte("\n")) {
		return false
	}
	ends := [][]byte{append(bytes.Clone(d.src), '\n')}
	if i := bytes.LastIndexByte(d.src, '\n') + 1; len(bytes.Trim(d.src[i:], " \t")) == 0 {
		ends = append(ends, d.src[:i])
	}
	for _, text := range ends {
		root, problem := load(text, noun, l)
		if problem != nil || !bytes.Equal(document(text, root, l).JSON, d.JSON) {
			return true
		}
	}
	return false
}

// oneReading refuses a scalar whose line breaks, or blank lines, readers take in several ways.
func (d *Document) oneReading(n *yaml.Node) bool {
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		if d.block = n; strings.Trim(n.Value, "\n") != "" && strings.Trim(n.Value, " \t\n") == "" {
			d.refuse(n, "yaml-break", "a block scalar of blanks alone, which some YAML readers take for empty", "write it in double quotes")
			return false
		}
	case n.Style&yaml.DoubleQuotedStyle != 0 && d.escapesBlankLine(n):
		d.refuse(n, "yaml-break", "an escaped line break before an empty line, which YAML readers take in several ways", `write it on one line, with \n for each line break`)
		return false
	}
	return true
}

// escapesBlankLine tells a scalar in double quotes that has a backslash at the end of a line, and an empty line next.
func (d *Document) escapesBlankLine(n *yaml.Node) bool {
	text := d.src[d.offset(n.Line, n.Column):]
	for i := 1; i < len(text) && text[i] != '"'; i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if rest, ok := bytes.CutPrefix(bytes.TrimPrefix(text[i:], []byte("\r")), []byte("\n")); ok {
			rest = bytes.TrimLeft(rest, " \t\r")
			if len(rest) > 0 && rest[0] == '\n' {
				return true
			}
		}
	}
	return false
}
