package yamljson

import (
	"bytes"
	"math"
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
		if problem != nil || !bytes.Equal(document(text, root, nil, l).JSON, d.JSON) {
			return true
		}
	}
	return false
}

// oneReading refuses a scalar whose line breaks, blank lines or colons readers take in several ways.
func (d *Document) oneReading(n *yaml.Node) bool {
	code, message, hint := d.otherReading(n)
	if message != "" {
		d.refuse(n, code, message, hint)
	}
	return message == ""
}

func (d *Document) otherReading(n *yaml.Node) (code, message, hint string) {
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		d.block = n
		switch text := strings.TrimRight(n.Value, "\n"); {
		case text != "" && strings.Trim(text, " \t\n") == "":
			return "yaml-break", "a block scalar of blanks alone, which some YAML readers take for empty", "write it in double quotes"
		case beginsAndEndsBlank(text):
			return "yaml-break", "a block scalar that begins with blanks and ends with a line of blanks, which some YAML readers leave out", "remove the blanks at the end, or write the text in double quotes"
		}
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		text := d.quoted(n)
		switch {
		case n.Style&yaml.DoubleQuotedStyle != 0 && escapesBlankLine(text):
			return "yaml-break", "an escaped line break before an empty line, which YAML readers take in several ways", `write it on one line, with \n for each line break`
		case leastIndent(text) < d.indent:
			return "yaml-break", "a line of text in quotes that is not indented below its key: YAML 1.2 does not allow it, and some readers end the text before it", "indent the lines of the text with blanks, and no tabs"
		}
	case d.flow > 0 && strings.Contains(n.Value, "\t:"):
		return "yaml-flow", "a tab before a colon, after which some YAML readers take what follows for a value", `write a blank behind the colon, or put the text in quotes`
	}
	return "", "", ""
}

// beginsAndEndsBlank tells a text whose first line that is not empty begins with a blank, and whose last line holds blanks alone.
func beginsAndEndsBlank(text string) bool {
	last := strings.LastIndexByte(text, '\n')
	if last < 0 || strings.Trim(text[last:], " \t\n") != "" {
		return false
	}
	for line := range strings.Lines(text) {
		if strings.Trim(line, " \t\n") != "" {
			return line[0] == ' '
		}
	}
	return false
}

// quoted is the text between the quotes of a scalar, as it is written.
func (d *Document) quoted(n *yaml.Node) []byte {
	text := d.src[d.offset(n.Line, n.Column)+1:]
	quote := byte('\'')
	if n.Style&yaml.DoubleQuotedStyle != 0 {
		quote = '"'
	}
	for i := 0; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\', text[i] == '\'' && quote == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		case text[i] == quote:
			return text[:i]
		}
	}
	return text
}

// escapesBlankLine tells a text in double quotes that has a backslash at the end of a line, and an empty line next.
func escapesBlankLine(text []byte) bool {
	for i := 0; i < len(text); i++ {
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

// leastIndent is the smallest number of blanks with which a line of a quoted text begins, of those that are not the first
// and not empty. The line of the closing quote counts.
func leastIndent(text []byte) int {
	least := math.MaxInt
	for i := bytes.IndexByte(text, '\n'); i >= 0; {
		text = text[i+1:]
		i = bytes.IndexByte(text, '\n')
		indent := len(text) - len(bytes.TrimLeft(text, " "))
		if line := text[:max(i, 0)]; i < 0 || len(bytes.Trim(line, " \t\r")) > 0 {
			least = min(least, indent)
		}
	}
	return least
}
