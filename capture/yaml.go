package capture

import (
	"errors"
	"fmt"

	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

var yamlReading = yamljson.Limits{
	Bytes: limits.YAML, Entries: limits.DeclarationValues, Depth: 4 * limits.DeclarationDepth, Problems: 1, Pointers: limits.ProblemPointers,
}

// jsonOf is the JSON text of a body in YAML, which readers of YAML 1.1 and 1.2 must take for the same.
func (t *table) jsonOf(body []byte) ([]byte, error) {
	doc, problems := yamljson.Read(body, "configuration", yamlReading)
	if len(problems) == 0 {
		problems = doc.AmbiguousToPyYAML()
	}
	if len(problems) == 0 {
		return doc.JSON, nil
	}
	p := problems[0]
	switch {
	case p.Code == "size":
		p.Message = fmt.Sprintf("the file has %d bytes, want at most %d of YAML", len(body), limits.YAML)
	case p.Message == "":
		p.Message, p.Hint = jsonmend.Say(p.Code)
	}
	if p.Line > 0 {
		p.Message = fmt.Sprintf("line %d, column %d: %s", p.Line, p.Column, p.Message)
	}
	return nil, t.error(p.Pointer, p.Message, p.Hint)
}

// tree is the tree of a body, out of its envelope, which lives until the memory is used again.
func (t *table) tree(m *jsontree.Memory, body []byte) (root jsontree.Value, err error) {
	if t.yaml {
		if body, err = t.jsonOf(body); err != nil {
			return root, err
		}
	}
	if root, err = parseInto(m, t.name(), reading, body); err == nil {
		return t.unwrap(root)
	}
	var e *Error
	if t.yaml && errors.As(err, &e) {
		e.Offset = -1 // it is one of the JSON text
	}
	return root, err
}
