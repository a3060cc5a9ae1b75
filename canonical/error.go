package canonical

import "strconv"

// Code says which rule a text breaks. The values are stable:
//
//	syntax     not RFC 8259: truncated, NaN, a comment, a raw control character, nothing at all
//	bom        begins with a byte order mark
//	utf8       a string is not valid UTF-8
//	surrogate  a \u escape of half a surrogate pair
//	duplicate  two members of one object have one name, compared after unescaping
//	range      a number beyond the range of a double
//	inexact    a number that its canonical form would change (ExactNumbers only)
//	depth      arrays and objects nest deeper than MaxDepth
//	count      more members and elements than MaxValues
//	trailing   something follows the value
type Code string

const (
	codeSyntax    Code = "syntax"
	codeBOM       Code = "bom"
	codeUTF8      Code = "utf8"
	codeSurrogate Code = "surrogate"
	codeDuplicate Code = "duplicate"
	codeRange     Code = "range"
	codeInexact   Code = "inexact"
	codeDepth     Code = "depth"
	codeCount     Code = "count"
	codeTrailing  Code = "trailing"
)

var meanings = map[Code]string{
	codeSyntax:    "invalid JSON",
	codeBOM:       "text begins with a byte order mark",
	codeUTF8:      "invalid UTF-8",
	codeSurrogate: "escape of a lone surrogate",
	codeDuplicate: "duplicate member name",
	codeRange:     "number beyond the range of a double",
	codeInexact:   "number that its canonical form would change",
	codeDepth:     "arrays and objects nest too deep",
	codeCount:     "too many members and elements",
	codeTrailing:  "data after the value",
}

// Error is why a text has no canonical form, and where.
type Error struct {
	Code Code

	// Offset counts the bytes before the offending byte, or before the offending
	// token where the whole token offends: a number, a member name, a bracket.
	Offset int

	// Pointer is the RFC 6901 pointer of the innermost value begun at Offset; for a
	// duplicate it names the second of the two members.
	Pointer string
}

func (e *Error) Error() string {
	s := meanings[e.Code] + " at offset " + strconv.Itoa(e.Offset)
	if e.Pointer != "" {
		s += " (" + strconv.QuoteToASCII(e.Pointer) + ")"
	}
	return s
}
