package capture

import (
	"errors"
	"fmt"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

var reading = canonical.Options{MaxDepth: limits.CaptureDepth, MaxValues: limits.CaptureValues}

// bodyHint is a hint for the body of a request: it is JSON, it is one, and a number in quotes is another request.
func bodyHint(m jsonmend.Mistake) string {
	switch {
	case m.Code == "range" || m.Code == "inexact":
		return "write a number that a double holds, as the API reads it"
	case m.Message == "not valid JSON: a comment" || strings.HasPrefix(m.Message, "not valid JSON: a comma before"):
		return "remove all comments, and commas before } and ], from a copy of the file, and give that"
	case strings.Contains(m.Hint, ".jsonl"):
		return "give one body at a time"
	}
	hint, _, _ := strings.Cut(m.Hint, "; YAML")
	return hint
}

// parse reads a body strictly, and keeps its order and its numbers. format is the name in errors.
func parse(format string, reading canonical.Options, body []byte) (jsontree.Value, error) {
	return parseInto(new(jsontree.Memory), format, reading, body)
}

// parseInto is parse for a tree that lives until the memory is used again.
func parseInto(m *jsontree.Memory, format string, reading canonical.Options, body []byte) (jsontree.Value, error) {
	if len(body) > limits.CaptureBody {
		return jsontree.Value{}, refuse(format, fmt.Sprintf("the body has %d bytes, want at most %d", len(body), limits.CaptureBody))
	}
	root, err := m.ReadCompact(body, reading)
	if err != nil {
		var ce *canonical.Error
		if !errors.As(err, &ce) {
			return jsontree.Value{}, err
		}
		m := jsonmend.Explain(body, ce)
		e := &Error{Format: format, Pointer: ce.Pointer, Offset: ce.Offset, Message: m.Message, Hint: bodyHint(m)}
		switch ce.Code {
		case "surrogate":
			e.Message = "a lone surrogate, which is half a character: a string was cut in the middle of one, as JavaScript does"
			e.Hint = "cut strings between characters, or call toWellFormed() on them"
		case "depth":
			e.Message = fmt.Sprintf("arrays and objects nest deeper than %d", limits.CaptureDepth)
		case "count":
			e.Message = fmt.Sprintf("more than %d members and elements", limits.CaptureValues)
		}
		return jsontree.Value{}, e
	}
	if root.Kind() != jsontree.Object {
		return jsontree.Value{}, refuse(format, "the body is of type "+root.Kind().String()+", want an object")
	}
	return root, nil
}

// refuse is an error about a body as a whole.
func refuse(format, message string) *Error {
	return &Error{Format: format, Offset: -1, Message: message}
}

// unwrap is the result of a JSON-RPC response, where the table reads results, or the body itself.
func (t *table) unwrap(root jsontree.Value) (jsontree.Value, error) {
	if t.envelope == "" || root.Get("jsonrpc").Kind() == jsontree.Absent {
		return root, nil
	}
	for name := range root.Members() {
		if n := string(name); n != "jsonrpc" && n != "id" && n != t.envelope {
			return root, refuse(t.name(), "a JSON-RPC message with the member "+quote(n)+", want a response with a result")
		}
	}
	result := root.Get(t.envelope)
	if result.Kind() != jsontree.Object {
		return root, refuse(t.name(), "a JSON-RPC response without a result that is an object")
	}
	return result, nil
}
