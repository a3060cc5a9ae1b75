// Package yamljson reads YAML 1.2 (core schema) as another way to write one JSON value. What
// has no counterpart in JSON, or means different things to different readers, is refused:
// anchors, aliases, tags, merge keys, keys that are not strings, directives, several
// documents, and the line breaks of YAML 1.1 alone. The reader of the JSON text checks the rest
// (duplicate names, exact numbers, depth).
package yamljson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/jsontree"
)

// Limits bound the cost of reading one text.
type Limits struct {
	Bytes    int
	Entries  int // commas: the parser spends some 2 KB on each entry of a flow collection
	Depth    int // at which the parser stops; the depth of the value is decided on its JSON text
	Problems int
	Pointers int // the length of the problems' pointers, after which no more are listed
}

// Problem is one reason why a text is refused. The codes "size", "bom" and "utf8" have no message.
type Problem struct {
	Code, Pointer        string
	Offset, Line, Column int // line and column from 1, 0 where unknown
	Message, Hint        string
	Replaced             bool // the value at Pointer is null in the JSON text
}

// Document is one YAML document and the JSON text that it stands for.
type Document struct {
	JSON []byte

	src      []byte
	block    *yaml.Node // the last scalar that is written with | or >
	last     mark       // where offset was last
	root     *yaml.Node
	stray    map[place]bool // the aliases without an anchor
	most     int
	pointers int // bytes that are left for them
	path     []string
	flow     int // the flow collections that the value stands in
	indent   int // the blanks with which each line of the value begins: the column of the innermost block
	problems []Problem

	pointIsText bool // in AmbiguousToPyYAML

	begins  []begin // of all values, once LocateJSON was asked
	marking bool    // they are being noted
}

// Read reads the one document in data; noun is what the document is to be, for messages. It
// gives problems or a document, and does not keep data apart from the document.
func Read(data []byte, noun string, l Limits) (*Document, []Problem) {
	if p, ok := textProblem(data, l); ok {
		return nil, []Problem{p}
	}
	node, stray, problem := loadPastAliases(data, noun, l)
	if problem != nil {
		at := (&Document{src: data}).offset(max(problem.Line, 1), 1)
		if message, hint, ok := jsonmend.Wrapped(data, at); ok && problem.Code == "yaml-syntax" {
			problem.Message, problem.Hint = "not valid YAML: "+message, hint
		} else if odd, ok := spaceBefore(data, problem.Line); ok && problem.Code == "yaml-syntax" {
			problem = &odd
		} else if problem.Code == "yaml-syntax" && inVariable(data, at) {
			problem.Hint = variableHint
		}
		return nil, []Problem{*problem}
	}
	if found := oddSpaces(node, l.Problems); found != nil {
		return nil, found
	}
	d := document(data, node, stray, l)
	if len(d.problems) == 0 && d.block != nil && d.endsInTwoWays(noun, l) {
		d.problems = []Problem{{
			Code: "yaml-break", Line: d.block.Line, Column: d.block.Column,
			Message: "a block scalar at the end of a file without a final newline: some YAML readers end the text with a newline and others do not",
			Hint:    "end the file with a newline; for a text that ends without one, write |- or >- too",
		}}
	}
	return d, d.problems
}

func document(data []byte, root *yaml.Node, stray map[place]bool, l Limits) *Document {
	d := &Document{JSON: make([]byte, 0, len(data)), src: data, root: root, stray: stray, most: l.Problems, pointers: l.Pointers}
	d.value(root)
	return d
}

// textProblem finds what is decided before YAML is parsed.
func textProblem(data []byte, l Limits) (Problem, bool) {
	var p Problem
	message, hint, isForm := jsonmend.Form(data)
	switch {
	case len(data) > l.Bytes:
		p.Code = "size"
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		p.Code, p.Line, p.Column = "bom", 1, 1
	case isForm:
		p.Code, p.Message, p.Hint = "utf8", message, hint
	case !utf8.Valid(data):
		p.Code = "utf8"
		p.Offset, p.Message, p.Hint = jsonmend.NotUTF8(data)
		p.Line, p.Column = LineColumn(data, p.Offset)
	case bytes.Count(data, []byte{','}) > l.Entries:
		p.Code = "count"
		p.Message, p.Hint = fmt.Sprintf("more than %d commas in YAML text", l.Entries), "write it as JSON"
		return p, true
	default:
		if odd := CheckBreaks(data); odd != nil {
			return *odd, true
		}
		if line := directiveLine(data); line > 0 {
			p.Code, p.Line, p.Column = "yaml-directive", line, 1
			p.Message, p.Hint = "YAML directives are refused", "remove the line"
			return p, true
		}
		if offset := looseMarker(data); offset >= 0 {
			p.Code, p.Offset = "yaml-documents", offset
			p.Line, p.Column = LineColumn(data, offset)
			p.Message = "a line that begins with --- or ... and goes on without a blank: some YAML readers begin or end a document there"
			p.Hint = "put text that begins so in quotes; a line that separates documents has --- alone"
			return p, true
		}
		return p, false
	}
	return p, true
}

// directiveLine is the line of a directive that stands before the document, or 0.
func directiveLine(data []byte) int {
	n := 0
	for line := range bytes.Lines(data) {
		n++
		switch trimmed := bytes.TrimSpace(line); {
		case len(trimmed) == 0 || trimmed[0] == '#':
		case line[0] == '%':
			return n
		default:
			return 0
		}
	}
	return 0
}

// looseMarker is the offset of a line that begins like a document's marker and is none, or -1.
func looseMarker(data []byte) int {
	for start := 0; start < len(data); {
		line := data[start:]
		if bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("...")) {
			if len(line) > 3 && bytes.IndexByte([]byte(" \t\r\n"), line[3]) < 0 {
				return start
			}
		}
		end := bytes.IndexByte(line, '\n')
		if end < 0 {
			break
		}
		start += end + 1
	}
	return -1
}

// load is the root of the one document in data.
func load(data []byte, noun string, l Limits) (*yaml.Node, *Problem) {
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(l.Depth))))
	if err != nil {
		return nil, syntaxError(err)
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return nil, syntaxError(errors.New("no YAML document"))
	case err != nil:
		return nil, syntaxError(err)
	case first.Kind != yaml.DocumentNode || len(first.Content) != 1:
		return nil, syntaxError(errors.New("no YAML document"))
	}
	switch err := loader.Load(&second); {
	case err == nil:
		return nil, &Problem{
			Code: "yaml-documents", Line: second.Line, Column: second.Column,
			Message: "several YAML documents", Hint: "one " + noun + " a file; remove a line --- behind it",
		}
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(err)
	}
	return first.Content[0], nil
}

func syntaxError(err error) *Problem {
	p := Problem{Code: "yaml-syntax", Message: "not valid YAML: " + err.Error()}
	var le *yaml.LoadError
	if errors.As(err, &le) {
		p.Message, p.Line, p.Column = "not valid YAML: "+le.Message, le.Mark.Line, le.Mark.Column
		if strings.HasPrefix(le.Message, "unknown anchor") {
			p.Code, p.Message, p.Hint = "yaml-alias", "YAML aliases are refused", aliasHint
			return &p
		}
		for _, h := range syntaxHints {
			if strings.Contains(le.Message, h[0]) {
				p.Hint = h[1]
			}
		}
	}
	return &p
}

const aliasHint = "write the value out; text that begins with * is quoted"

// syntaxHints are what to do about what the parser says.
var syntaxHints = [][2]string{
	{"cannot start any token", "quote text that begins with @, ` or %; indent with blanks and no tabs"},
	{"tab character", "indent with blanks and no tabs"},
	{"mapping values are not allowed", `quote text that has ": " in it`},
	{"alphabetic or numeric character", "quote text that begins with * or &"},
	{"unexpected end of stream", "is the file complete? each quotation mark and bracket must be closed"},
	{"did not find expected key", "check how far this line and those before it are indented; quote text that has quotation marks in it, and write one in single quotes twice: 'it''s'"},
	{"did not find expected ',' or", "commas separate what stands in { } and [ ]; quote text that has brackets, quotation marks or \": \" in it, and write a quotation mark in single quotes twice: 'it''s'"},
	{"unknown escape character", `write \\ for a backslash, or put the text in single quotes`},
	{"comment or line break", "text after | or > begins on the next line; text that begins with | or > is quoted"},
	{"<document start>", "remove what follows the value; several values go in a .jsonl file, as JSON, one a line"},
	{"find expected ':'", "a key has a colon and a blank behind it; text of several lines is indented, behind | or in quotes"},
	{"Unicode character escape", `write the character itself, or its code in eight digits, "\U0001F600": YAML has no pairs of surrogates`},
	{"control characters are not allowed", `write the character as an escape in double quotes, such as "\x1b"`},
}

// variableHint is for what a shell or a template would replace.
const variableHint = "variables and templates are not filled in here: write the value, or put the text in quotes"

// inVariable tells that the line that begins at an offset has a variable, as in {x: ${NAME}}.
func inVariable(data []byte, at int) bool {
	line, _, _ := bytes.Cut(data[at:], []byte("\n"))
	return bytes.Contains(line, []byte("${")) || bytes.Contains(line, []byte("$(")) || bytes.Contains(line, []byte("{{"))
}

// value writes n as JSON and notes what YAML has and JSON has not; null stands for what is refused.
func (d *Document) value(n *yaml.Node) {
	d.mark(n)
	refused := len(d.problems)
	start := len(d.JSON)
	if !d.plainNode(n) {
		d.replace(start, refused)
		return
	}
	if n.Kind != yaml.ScalarNode {
		defer func(flow, indent int) { d.flow, d.indent = flow, indent }(d.flow, d.indent)
		if n.Style&yaml.FlowStyle != 0 {
			d.flow++
		} else {
			d.indent = n.Column
		}
	}
	switch n.Kind {
	case yaml.MappingNode:
		d.mapping(n)
	case yaml.SequenceNode:
		d.JSON = append(d.JSON, '[')
		for i, e := range n.Content {
			if i > 0 {
				d.JSON = append(d.JSON, ',')
			}
			d.step(strconv.Itoa(i))
			d.value(e)
			d.back()
		}
		d.JSON = append(d.JSON, ']')
	case yaml.ScalarNode:
		d.scalar(n)
		d.replace(start, refused)
	default:
		d.refuse(n, "yaml-syntax", "unexpected YAML node", "")
		d.replace(start, refused)
	}
}

// replace writes null for a value that wrote nothing, and marks the problem that says why.
func (d *Document) replace(start, problem int) {
	if len(d.JSON) > start {
		return
	}
	d.JSON = append(d.JSON, "null"...)
	if problem < len(d.problems) {
		d.problems[problem].Replaced = true
	}
}

// plainNode refuses anchors, aliases and tags. A tag is explicit where the node says so,
// or where it is none that an untagged node resolves to ("!").
func (d *Document) plainNode(n *yaml.Node) bool {
	switch {
	case d.isAlias(n):
		d.refuse(n, "yaml-alias", "YAML aliases are refused", aliasHint)
	case n.Anchor != "":
		d.refuse(n, "yaml-anchor", "YAML anchors are refused", "write the value out where it is used; text that begins with & is quoted")
	case n.Style&yaml.TaggedStyle != 0 || !strings.HasPrefix(n.Tag, "!!"):
		d.refuse(n, "yaml-tag", "YAML tags are refused", "quote a value to make it a string; text that begins with ! is quoted")
	default:
		return true
	}
	return false
}

func (d *Document) mapping(n *yaml.Node) {
	d.JSON = append(d.JSON, '{')
	first := true
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.key(key) {
			continue
		}
		if !first {
			d.JSON = append(d.JSON, ',')
		}
		first = false
		d.mark(value)
		d.string(key.Value)
		d.JSON = append(d.JSON, ':')
		d.step(key.Value)
		d.value(value)
		d.back()
	}
	d.JSON = append(d.JSON, '}')
}

// key tells whether a key can be a member's name, and refuses it otherwise.
func (d *Document) key(key *yaml.Node) bool {
	switch {
	case !d.plainNode(key) || !d.oneReading(key):
		return false
	case isPlain(key) && strings.Contains(key.Value, "\n"):
		d.refuse(key, "yaml-break", "a key over an empty line, which some YAML readers end there", "put it in quotes, on one line")
		return false
	case isPlain(key) && key.Value == "<<":
		d.refuse(key, "yaml-merge", "YAML merge keys are refused", "write the members out")
		return false
	case key.Kind != yaml.ScalarNode || isPlain(key) && coreType(key.Value) != jsontree.String:
		hint := "quote it"
		if key.Kind == yaml.MappingNode {
			hint = "quote text with braces in it; " + variableHint
		}
		d.refuse(key, "yaml-key", "a key that is not a string", hint)
		return false
	}
	return true
}

func (d *Document) scalar(n *yaml.Node) {
	if !d.oneReading(n) {
		return
	}
	if !isPlain(n) {
		d.string(n.Value)
		return
	}
	switch coreType(n.Value) {
	case jsontree.Absent:
		d.refuse(n, "yaml-syntax", "an indicator where a value is wanted", "quote it")
	case jsontree.Null:
		d.JSON = append(d.JSON, "null"...)
	case jsontree.Bool:
		d.JSON = append(d.JSON, strings.ToLower(n.Value)...)
	case jsontree.Number:
		literal, ok := jsonNumber(n.Value)
		if !ok {
			d.refuse(n, "range", "infinity and not-a-number have no JSON form", "quote it if it is meant as text")
			return
		}
		d.JSON = append(d.JSON, literal...)
	default:
		d.string(n.Value)
	}
}

func (d *Document) string(s string) {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	d.JSON = append(d.JSON, quoted...)
}

func (d *Document) refuse(n *yaml.Node, code, message, hint string) {
	if len(d.problems) == d.most || d.pointers < 0 {
		return
	}
	pointer := d.pointer()
	d.pointers -= len(pointer)
	d.problems = append(d.problems, Problem{Code: code, Pointer: pointer, Line: n.Line, Column: n.Column, Message: message, Hint: hint})
}

// step goes one step deeper, back one step up.
func (d *Document) step(name string) { d.path = append(d.path, name) }
func (d *Document) back()            { d.path = d.path[:len(d.path)-1] }

func (d *Document) pointer() string {
	var b strings.Builder
	for _, name := range d.path {
		b.WriteString("/" + jsontree.EscapePointer(name))
	}
	return b.String()
}

// Locate is where the value that a pointer names stands, or its nearest parent. Of two members
// with one name it takes the first: the second is refused, and LocateJSON finds it.
func (d *Document) Locate(pointer string) (line, column int) {
	n := d.find(pointer)
	return n.Line, n.Column
}

func (d *Document) find(pointer string) *yaml.Node {
	n := d.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		name := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		below := child(n, name)
		if below == nil || pointer == "" {
			break
		}
		n = below
	}
	return n
}

func child(n *yaml.Node, name string) (found *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			found = n.Content[i]
		}
	}
	return found
}

// LineColumn is where an offset stands in src: from 1, columns in characters.
func LineColumn(src []byte, offset int) (line, column int) {
	before := src[:min(max(offset, 0), len(src))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}
