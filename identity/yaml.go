package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// yamlDepth stops the YAML parser from recursing without end; the depth that a
// declaration may have is decided on the JSON text.
const yamlDepth = 4 * limits.DeclarationDepth

// ParseYAML reads a declaration written as YAML 1.2 (core schema): the same object
// as in JSON, with the same identity. What has no counterpart in JSON, or means
// different things to different readers, is refused: anchors, aliases, tags, merge
// keys, keys that are not strings, duplicate keys, directives, several documents, and the
// line breaks that only YAML 1.1 knows.
// The error is an *InvalidError. data is not kept.
func ParseYAML(data []byte) (*Declaration, error) {
	doc, err := readYAML(data)
	if err != nil {
		return nil, err
	}
	text, root, err := parseText(doc.json)
	if err != nil {
		return nil, doc.relocate(err)
	}
	if problems := validate(root); len(problems) > 0 {
		return nil, invalid(problems, doc.locate)
	}
	return &Declaration{text: text, root: root, id: ID{sha256.Sum256(text)}}, nil
}

// yamlDocument is one YAML document and the JSON text that it stands for.
type yamlDocument struct {
	checker
	root *yaml.Node
	json []byte
}

func readYAML(data []byte) (*yamlDocument, error) {
	if p, ok := yamlTextProblem(data); ok {
		return nil, &InvalidError{[]Problem{p}}
	}
	node, err := loadYAML(data)
	if err != nil {
		return nil, err
	}
	doc := &yamlDocument{root: node, json: make([]byte, 0, len(data))}
	doc.value(node)
	if len(doc.problems) > 0 {
		return nil, &InvalidError{doc.problems}
	}
	return doc, nil
}

// yamlTextProblem finds what is decided before YAML is parsed.
func yamlTextProblem(data []byte) (Problem, bool) {
	p := Problem{Severity: Error}
	switch {
	case len(data) > limits.YAML:
		return sizeProblem(len(data), limits.YAML), true
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		p.Code = "bom"
	case !utf8.Valid(data):
		p.Code = "utf8"
	case bytes.Count(data, []byte{','}) > limits.DeclarationValues:
		// The parser spends some 2 KB on each entry of a flow collection.
		p.Code = "count"
		p.Message, p.Hint = "more than 100,000 commas in YAML text", "write the declaration as JSON, or put the content in by digest"
		return p, true
	default:
		if i := bytes.Index(data, []byte("\ufeff")); i >= 0 {
			p.Code, p.Offset = "bom", i
			p.Line, p.Column = lineColumn(data, i)
			p.Message, p.Hint = "a byte order mark inside the text, which some YAML readers skip", `write it as an escape in double quotes: "\ufeff"`
			return p, true
		}
		if i := oddBreak(data); i >= 0 {
			p.Code, p.Offset = "yaml-break", i
			p.Line, p.Column = lineColumn(data, i)
			p.Message = "a character that ends a line for some YAML readers and not for others (U+0085, U+2028, U+2029, or a carriage return alone)"
			p.Hint = `write it as an escape in double quotes: "\x85", "\u2028", "\u2029", "\r"; end lines with a line feed`
			return p, true
		}
		if line := directiveLine(data); line > 0 {
			p.Code, p.Line, p.Column = "yaml-directive", line, 1
			p.Message, p.Hint = "YAML directives are refused", "remove the line"
			return p, true
		}
		return p, false
	}
	p.Message, p.Hint = textMessages[p.Code][0], textMessages[p.Code][1]
	return p, true
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

// loadYAML is the root of the one document in data.
func loadYAML(data []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(yamlDepth))))
	if err != nil {
		return nil, yamlError(err)
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return nil, yamlError(errors.New("no YAML document"))
	case err != nil:
		return nil, yamlError(err)
	case first.Kind != yaml.DocumentNode || len(first.Content) != 1:
		return nil, yamlError(errors.New("no YAML document"))
	}
	switch err := loader.Load(&second); {
	case err == nil:
		return nil, &InvalidError{[]Problem{{
			Severity: Error, Code: "yaml-documents", Line: second.Line, Column: second.Column,
			Message: "several YAML documents", Hint: "one declaration a file",
		}}}
	case !errors.Is(err, io.EOF):
		return nil, yamlError(err)
	}
	return first.Content[0], nil
}

func yamlError(err error) error {
	p := Problem{Severity: Error, Code: "yaml-syntax", Message: "not valid YAML: " + err.Error()}
	var le *yaml.LoadError
	if errors.As(err, &le) {
		p.Message, p.Line, p.Column = "not valid YAML: "+le.Message, le.Mark.Line, le.Mark.Column
		if strings.HasPrefix(le.Message, "unknown anchor") {
			p.Code, p.Message = "yaml-alias", "YAML aliases are refused"
		}
	}
	return &InvalidError{[]Problem{p}}
}

// value writes n as JSON and notes what YAML has and JSON has not.
func (d *yamlDocument) value(n *yaml.Node) {
	if !d.plainNode(n) {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		d.mapping(n)
	case yaml.SequenceNode:
		d.json = append(d.json, '[')
		for i, e := range n.Content {
			if i > 0 {
				d.json = append(d.json, ',')
			}
			d.element(i)
			d.value(e)
			d.back()
		}
		d.json = append(d.json, ']')
	case yaml.ScalarNode:
		d.scalar(n)
	default:
		d.refuse(n, "yaml-syntax", "unexpected YAML node", "")
	}
}

// plainNode refuses anchors, aliases and tags. A tag is explicit where the node says so,
// or where it is none that an untagged node resolves to ("!").
func (d *yamlDocument) plainNode(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.refuse(n, "yaml-alias", "YAML aliases are refused", "write the value out")
	case n.Anchor != "":
		d.refuse(n, "yaml-anchor", "YAML anchors are refused", "write the value out where it is used")
	case n.Style&yaml.TaggedStyle != 0 || !strings.HasPrefix(n.Tag, "!!"):
		d.refuse(n, "yaml-tag", "YAML tags are refused", "quote a value to make it a string")
	default:
		return true
	}
	return false
}

func (d *yamlDocument) mapping(n *yaml.Node) {
	d.json = append(d.json, '{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if i > 0 {
			d.json = append(d.json, ',')
		}
		if !d.plainNode(key) {
			continue
		}
		if isPlain(key) && key.Value == "<<" {
			d.refuse(key, "yaml-merge", "YAML merge keys are refused", "write the members out")
			continue
		}
		if key.Kind != yaml.ScalarNode || isPlain(key) && coreType(key.Value) != jsontree.String {
			d.refuse(key, "yaml-key", "a key that is not a string", "quote it")
			continue
		}
		d.string(key.Value)
		d.json = append(d.json, ':')
		d.member([]byte(key.Value))
		d.value(value)
		d.back()
	}
	d.json = append(d.json, '}')
}

func (d *yamlDocument) scalar(n *yaml.Node) {
	if !isPlain(n) {
		d.string(n.Value)
		return
	}
	switch coreType(n.Value) {
	case jsontree.Absent:
		d.refuse(n, "yaml-syntax", "an indicator where a value is wanted", "quote it")
	case jsontree.Null:
		d.json = append(d.json, "null"...)
	case jsontree.Bool:
		d.json = append(d.json, strings.ToLower(n.Value)...)
	case jsontree.Number:
		literal, ok := jsonNumber(n.Value)
		if !ok {
			d.refuse(n, "range", "infinity and not-a-number have no JSON form", "quote it if it is meant as text")
			return
		}
		d.json = append(d.json, literal...)
	default:
		d.string(n.Value)
	}
}

func (d *yamlDocument) string(s string) {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	d.json = append(d.json, quoted...)
}

func (d *yamlDocument) refuse(n *yaml.Node, code Code, message, hint string) {
	d.add(Problem{Code: code, Pointer: d.pointer(), Line: n.Line, Column: n.Column, Message: message, Hint: hint})
}

// relocate turns places in the JSON text into places in the YAML text.
func (d *yamlDocument) relocate(err error) error {
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	for i := range invalid.Problems {
		p := &invalid.Problems[i]
		p.Offset, p.Line, p.Column = d.locate(p.Pointer)
	}
	return invalid
}

// locate finds the node that a pointer names, or its nearest parent. Of two members
// with one name it takes the second, which is the one that is refused.
func (d *yamlDocument) locate(pointer string) (offset, line, column int) {
	n := d.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		name := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		child := yamlChild(n, name)
		if child == nil || pointer == "" {
			break
		}
		n = child
	}
	return 0, n.Line, n.Column
}

func yamlChild(n *yaml.Node, name string) (child *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				child = n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			child = n.Content[i]
		}
	}
	return child
}
