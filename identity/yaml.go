package identity

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// yamlLimits: the parser must not recurse without end; the depth that a declaration may have
// is decided on the JSON text.
var yamlLimits = yamljson.Limits{
	Bytes: limits.YAML, Entries: limits.DeclarationValues, Depth: 4 * limits.DeclarationDepth, Problems: limits.Problems, Pointers: limits.ProblemPointers,
}

// ParseYAML reads a declaration written as YAML 1.2 (core schema): the same object
// as in JSON, with the same identity. What has no counterpart in JSON, or means
// different things to different readers, is refused: anchors, aliases, tags, merge
// keys, keys that are not strings, duplicate keys, directives, several documents, and
// line breaks that readers take in several ways. Text that is JSON, too, is read as JSON.
// The error is an *InvalidError. data is not kept.
func ParseYAML(data []byte) (*Declaration, error) {
	if isJSON(data) {
		return Parse(data)
	}
	doc, found := yamljson.Read(data, "declaration", yamlLimits)
	if len(found) == 0 {
		if d := parseValid(doc.JSON); d != nil {
			return d, nil
		}
	}
	return nil, &InvalidError{surveyYAML(data, doc, found).problems}
}

// YAML is the declaration as YAML, with a newline at its end: names in the order of the canonical form, strings in double quotes.
// ParseYAML reads it as the same, unless it has more text than that takes. It is nil of a declaration that is nil or a zero value.
func (d *Declaration) YAML() []byte {
	if d == nil || d.text == nil {
		return nil
	}
	return yamljson.Append(nil, d.tree())
}

// isJSON tells YAML text that is JSON, and that every reader of YAML takes as such.
func isJSON(data []byte) bool {
	start := bytes.TrimLeft(data, " \t\r\n")
	return len(start) > 0 && start[0] == '{' && len(data) <= limits.Declaration && json.Valid(data) && yamljson.CheckBreaks(data) == nil
}

// surveyYAML lists what is wrong with YAML text, of which yamljson has read what it could.
func surveyYAML(data []byte, doc *yamljson.Document, found []yamljson.Problem) *survey {
	s := &survey{}
	for _, f := range found {
		p := Problem{
			Severity: Error, Code: Code(f.Code), Pointer: f.Pointer, Offset: f.Offset, Line: f.Line, Column: f.Column,
			Message: f.Message, Hint: f.Hint,
		}
		switch {
		case p.Code == CodeSize:
			p = sizeProblem(len(data), limits.YAML)
			p.Hint = fmt.Sprintf("write it as JSON, which may have %d bytes; or put large content in by digest", limits.Declaration)
		case p.Message == "":
			p.Message, p.Hint = jsonmend.Say(f.Code)
		}
		s.problems = append(s.problems, p)
		if f.Replaced {
			s.replaced = append(s.replaced, f.Pointer)
		}
	}
	if doc == nil {
		return s
	}
	s.locate = func(pointer string) (offset, line, column int) {
		line, column = doc.Locate(pointer)
		return 0, line, column
	}
	s.text(doc.JSON, len(data), func(m jsonmend.Mistake) (offset, line, column int) {
		line, column = doc.LocateJSON(m.Offset)
		return 0, line, column
	})
	for i := range s.problems {
		if p := &s.problems[i]; p.Code == CodeNull {
			p.Message += spelling(doc, p.Pointer)
		}
	}
	return s
}
