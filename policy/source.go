package policy

import (
	"bytes"
	"errors"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// text is a policy or a list of cases as it was written, and where its values stand.
type text struct {
	data []byte
	yaml *yamljson.Document // nil where it is JSON
	root jsontree.Value

	ambiguous []identity.Problem // scalars that other readers of YAML take for another value
}

var (
	textRules  = canonical.Options{ExactNumbers: true, MaxDepth: limits.PolicyDepth, MaxValues: limits.PolicyValues}
	yamlLimits = yamljson.Limits{
		Bytes: limits.Policy, Entries: limits.PolicyValues, Depth: 4 * limits.PolicyDepth, Problems: limits.Problems, Pointers: limits.ProblemPointers,
	}
)

// readText reads YAML, or JSON where the first character is a brace. noun is what it is to be.
func readText(data []byte, noun string) (*text, error) {
	t := &text{data: data}
	source := data
	if len(data) > limits.Policy {
		return nil, invalidText(noun, data, []yamljson.Problem{{Code: "size"}})
	}
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) == 0 || start[0] != '{' {
		doc, found := yamljson.Read(data, noun, yamlLimits)
		if len(found) > 0 {
			return nil, invalidText(noun, data, found)
		}
		t.yaml, source = doc, doc.JSON
		for _, f := range doc.Ambiguous() {
			t.ambiguous = append(t.ambiguous, problemOf(f))
		}
	}
	form, err := textRules.Append(nil, source)
	if err == nil {
		t.root, err = jsontree.Parse(form)
	}
	var ce *canonical.Error
	switch {
	case errors.As(err, &ce):
		p := identity.Problem{Severity: identity.Error, Code: identity.Code(ce.Code), Pointer: ce.Pointer}
		m := jsonmend.Explain(source, ce)
		p.Message, p.Hint = m.Message, m.Hint
		p.Line, p.Column = yamljson.LineColumn(data, m.Offset)
		if t.yaml != nil {
			p.Line, p.Column = t.yaml.LocateJSON(m.Offset)
		}
		return nil, (&InvalidError{Noun: noun, Problems: []identity.Problem{p}}).explained(data)
	case err != nil:
		return nil, err
	}
	return t, nil
}

func invalidText(noun string, data []byte, found []yamljson.Problem) error {
	e := &InvalidError{Noun: noun}
	messages := map[string]string{
		"bom": "begins with a byte order mark", "utf8": "invalid UTF-8", "size": "larger than 1 MiB",
	}
	for _, f := range found {
		p := problemOf(f)
		if f.Code == "bom" && p.Hint == "" {
			p.Hint = "save the file as UTF-8 without a BOM"
		}
		if p.Message == "" {
			p.Message = messages[f.Code]
		}
		if f.Code == "yaml-syntax" && strings.Contains(f.Message, "tab character") {
			p.Hint = "indent the lines with blanks"
		} else if f.Code == "yaml-syntax" && inExpression(data, f.Line) {
			p.Hint = expressionHint
		}
		e.Problems = append(e.Problems, p)
	}
	return e.explained(data)
}

func problemOf(f yamljson.Problem) identity.Problem {
	return identity.Problem{
		Severity: identity.Error, Code: identity.Code(f.Code), Pointer: f.Pointer, Line: f.Line, Column: f.Column,
		Message: f.Message, Hint: f.Hint,
	}
}

// expressionHint is for CEL that YAML takes for something of its own: ": " in a conditional, quotes or brackets at the
// beginning, a backslash in double quotes.
const expressionHint = "write the expression on lines of its own behind |, or in quotes"

// inExpression tells that YAML stopped in an expression: on the line where it begins, or one of the next three.
func inExpression(data []byte, line int) bool {
	n := 0
	for text := range bytes.Lines(data) {
		if n++; n >= line-3 && n <= line && bytes.Contains(text, []byte("expr:")) {
			return true
		}
	}
	return false
}

// locate is where a value stands, or its nearest parent.
func (t *text) locate(pointer string) (line, column int) {
	if t.yaml != nil {
		return t.yaml.Locate(pointer)
	}
	if offset, ok := t.offset(pointer); ok {
		return yamljson.LineColumn(t.data, offset)
	}
	return 0, 0
}

func (t *text) offset(pointer string) (int, bool) {
	for {
		if offset, ok := canonical.Locate(t.data, pointer); ok {
			return offset, true
		}
		i := strings.LastIndexByte(pointer, '/')
		if i < 0 {
			return 0, false
		}
		pointer = pointer[:i]
	}
}

// locateIn is where a character of the string at a pointer stands, counted from 0.
func (t *text) locateIn(pointer, value string, character int) (line, column int) {
	if t.yaml != nil {
		return t.yaml.Place(pointer, character)
	}
	offset, ok := t.offset(pointer)
	if !ok {
		return 0, 0
	}
	return yamljson.PlaceJSON(t.data, offset, value, character)
}
