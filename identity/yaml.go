package identity

import (
	"crypto/sha256"
	"errors"

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
	*yamljson.Document
	json []byte
}

func readYAML(data []byte) (*yamlDocument, error) {
	doc, found := yamljson.Read(data, "declaration", yamlLimits)
	if len(found) == 0 {
		return &yamlDocument{doc, doc.JSON}, nil
	}
	var problems []Problem
	for _, f := range found {
		p := Problem{
			Severity: Error, Code: Code(f.Code), Pointer: f.Pointer, Offset: f.Offset, Line: f.Line, Column: f.Column,
			Message: f.Message, Hint: f.Hint,
		}
		if m, ok := textMessages[p.Code]; ok && p.Message == "" {
			p.Message, p.Hint = m[0], m[1]
		} else if p.Code == CodeSize {
			p = sizeProblem(len(data), limits.YAML)
		}
		problems = append(problems, p)
	}
	return nil, &InvalidError{problems}
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

func (d *yamlDocument) locate(pointer string) (offset, line, column int) {
	line, column = d.Locate(pointer)
	return 0, line, column
}
