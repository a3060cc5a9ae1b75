package identity

import (
	"errors"
	"fmt"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// Code names a reason why a declaration is refused, or warned of. Codes are stable.
type Code string

// The reasons that come from the declaration's rules. Those of the JSON text itself
// are the codes of package canonical; the ones that begin with "yaml-" are YAML's.
const (
	CodeNull     Code = "null"     // null stands where a value is wanted
	CodeType     Code = "type"     // a value has the wrong JSON type
	CodeRequired Code = "required" // a member is missing
	CodeUnknown  Code = "unknown"  // a closed object has a member that it does not know
	CodeValue    Code = "value"    // a value is of the right type but not allowed
	CodeUnique   Code = "unique"   // an element of a set stands twice
	CodeSize     Code = "size"     // the input is larger than 16 MiB (YAML: 2 MiB)
)

// Severity tells an error, which makes a declaration invalid, from a warning.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is one thing that is wrong with a declaration, or doubtful in it.
type Problem struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	Pointer  string   `json:"pointer"`          // RFC 6901; "" is the whole declaration
	Offset   int      `json:"offset,omitempty"` // in bytes from the start of JSON text; 0 for YAML
	Line     int      `json:"line,omitempty"`   // from 1; 0 where it is not known
	Column   int      `json:"column,omitempty"` // from 1, in characters
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"` // what to do about it
}

// String is the problem on one line, without its severity and hint.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", p.Line, p.Column)
	}
	if p.Pointer != "" {
		b.WriteString(printable(p.Pointer) + ": ")
	}
	fmt.Fprintf(&b, "%s (%s)", p.Message, p.Code)
	return b.String()
}

// InvalidError says why a declaration is refused. Problems holds at least one error
// and no warning, at most 100 and fewer where their pointers are long, in the order of the text.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	if len(e.Problems) == 0 {
		return "invalid declaration"
	}
	s := "invalid declaration: " + e.Problems[0].String()
	if e.Problems[0].IsForeign() {
		s = e.Problems[0].Message
	}
	switch n := len(e.Problems) - 1; {
	case n > 0 && enough(e.Problems):
		s += fmt.Sprintf(" (and %d more at least)", n)
	case n > 0:
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// enough says that a report stops after these problems.
func enough(problems []Problem) bool {
	pointers := 0
	for _, p := range problems {
		pointers += len(p.Pointer)
	}
	return len(problems) >= limits.Problems || pointers > limits.ProblemPointers
}

// Hint is what to do about the first problem, or "".
func (e *InvalidError) Hint() string {
	if len(e.Problems) == 0 {
		return ""
	}
	return e.Problems[0].Hint
}

// locator finds where a pointer's value stands in the source.
type locator func(pointer string) (offset, line, column int)

// jsonLocator finds values in JSON text; a missing member is found at its parent. Each
// search reads the text again, so that of a huge one only the first problems get a place.
func jsonLocator(src []byte) locator {
	budget := 4 * limits.Declaration
	return func(pointer string) (int, int, int) {
		for {
			if budget -= len(src); budget < 0 {
				return 0, 0, 0
			}
			if offset, ok := canonical.Locate(src, pointer); ok {
				line, column := yamljson.LineColumn(src, offset)
				return offset, line, column
			}
			i := strings.LastIndexByte(pointer, '/')
			if i < 0 {
				return 0, 0, 0
			}
			pointer = pointer[:i]
		}
	}
}

// textError turns an error of package canonical about data into an InvalidError.
func textError(data []byte, err error) error {
	var ce *canonical.Error
	if !errors.As(err, &ce) {
		return err
	}
	p := textProblem(jsonmend.Explain(data, ce))
	p.Line, p.Column = yamljson.LineColumn(data, p.Offset)
	return &InvalidError{[]Problem{p}}
}

// textProblem is a mistake in JSON text, without its line and column.
func textProblem(m jsonmend.Mistake) Problem {
	p := Problem{Severity: Error, Code: Code(m.Code), Pointer: m.Pointer, Offset: m.Offset, Message: m.Message, Hint: m.Hint}
	switch {
	case m.IsNull:
		p.Hint = wordHint(m)
	case p.Code == "depth":
		p.Message, p.Hint = fmt.Sprintf("arrays and objects nest deeper than %d", limits.DeclarationDepth), "put the content in by digest"
	case p.Code == "count":
		p.Message, p.Hint = "more than 100,000 members and elements", "put the content in by digest"
	case p.Code == "trailing" && strings.HasPrefix(m.Message, "something"):
		p.Message, p.Hint = "something follows the declaration", "one declaration a file; several go in a .jsonl file, one a line"
	}
	return p
}

// printable keeps control and bidirectional characters of a hostile name out of messages.
func printable(s string) string {
	q := fmt.Sprintf("%+q", s)
	q = q[1 : len(q)-1]
	if strings.ContainsAny(q, "\\") {
		return q
	}
	return s
}

func sizeProblem(size, limit int) Problem {
	return Problem{
		Severity: Error, Code: CodeSize,
		Message: fmt.Sprintf("%d bytes, want at most %d", size, limit),
		Hint:    "put large content in by digest",
	}
}
