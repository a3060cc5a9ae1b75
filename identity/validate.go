package identity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/mediatype"
)

// validate holds a declaration against its schema and lists the errors, without
// their place in the source. declaration.schema.json says the same in JSON Schema;
// a test holds the two to one answer.
func validate(root jsontree.Value) []Problem {
	c, _ := checkers.Get().(*checker)
	c.path, c.problems = c.steps[:0], nil
	c.declaration(root)
	problems := c.problems
	clear(c.steps[:]) // which refer to the text
	c.path, c.problems = nil, nil
	checkers.Put(c)
	return problems
}

var checkers = sync.Pool{New: func() any { return new(checker) }}

// checker walks a declaration; path is where it stands.
type checker struct {
	path     []step
	problems []Problem
	steps    [12]step // for path, as far as they are enough
}

// step leads to a member, or, where name is nil, to an element.
type step struct {
	name  []byte
	index int
}

func (s step) String() string {
	if s.name == nil {
		return strconv.Itoa(s.index)
	}
	return string(s.name)
}

// rule checks the value at the checker's path.
type rule func(*checker, jsontree.Value)

func (c *checker) declaration(root jsontree.Value) { c.closed(&declarationMembers, root) }

func (c *checker) prompt(v jsontree.Value) {
	if !c.object(v) {
		return
	}
	forms, byDigest, sized := 0, false, false
	for name, m := range v.Members() {
		c.member(name)
		switch name := string(name); name {
		case "messages", "text", "digest":
			c.promptForm(name, m, v)
			if m.Kind() != jsontree.Null {
				forms++
				byDigest = name == "digest"
			}
		case "size", "mediaType":
			c.promptForm(name, m, v)
			sized = sized || m.Kind() != jsontree.Null
		default:
			c.unknown("digest", "mediaType", "messages", "size", "text")
		}
		c.back()
	}
	if forms > 1 || sized && (forms != 1 || !byDigest) {
		c.fail(CodeValue, "a prompt is exactly one of: messages; text; digest with size and mediaType; {} for none", "")
	}
}

// promptForm checks a member of a prompt.
func (c *checker) promptForm(name string, m, prompt jsontree.Value) {
	if m.Kind() == jsontree.Null {
		c.null(promptHint(prompt))
		return
	}
	switch name {
	case "messages":
		c.messages(m)
	case "text":
		promptText(c, m)
	case "digest":
		digest(c, m)
	case "size":
		c.size(m)
	case "mediaType":
		mediaType(c, m)
	}
}

func (c *checker) message(v jsontree.Value) {
	if !c.object(v) {
		return
	}
	if !hasAny(v, "role") {
		c.missing("role")
	}
	for name, m := range v.Members() {
		c.member(name)
		switch string(name) {
		case "role":
			if m.Kind() == jsontree.Null {
				c.null("write it: role is required")
			} else {
				nonEmpty(c, m)
			}
		case "content":
			switch m.Kind() {
			case jsontree.Null:
				c.null(leaveOut)
			case jsontree.String:
			case jsontree.Array, jsontree.Object:
				c.noNull(m)
			default:
				c.wrongType(m, "a string, an array or an object")
			}
		default:
			if m.Kind() == jsontree.Null {
				c.null(leaveOut)
			}
			c.noNull(m)
		}
		c.back()
	}
}

func (c *checker) extensions(v jsontree.Value) {
	if !c.object(v) {
		return
	}
	for name, m := range v.Members() {
		c.member(name)
		if !isAbsoluteURI(string(name)) {
			c.fail(CodeValue, "extensions are named by an absolute URI (RFC 3986)", "use a URI that you control")
		}
		if m.Kind() == jsontree.Null {
			c.null("leave the extension out, or write {} if that it is named is all that it says")
		}
		c.noNull(m)
		c.back()
	}
}

func (c *checker) size(v jsontree.Value) {
	if v.Kind() != jsontree.Number {
		c.wrongType(v, "an integer")
		return
	}
	if n, err := strconv.ParseInt(string(v.Raw()), 10, 64); err != nil || n < 0 || n >= 1<<53 {
		c.fail(CodeValue, "want an integer from 0 to 9007199254740991, in bytes", "")
	}
}

// closed checks an object that may hold only the members that m names.
func closed(m *members) rule {
	return func(c *checker, v jsontree.Value) { c.closed(m, v) }
}

func (c *checker) closed(m *members, v jsontree.Value) {
	if !c.object(v) {
		return
	}
	seen := m.has(v)
	for _, name := range m.required {
		if seen&m.requiredBits == m.requiredBits {
			break
		}
		if !hasAny(v, name) {
			c.missing(name)
		}
	}
	if len(m.anyOf) > 0 && seen&m.anyOfBits == 0 {
		c.fail(CodeRequired, "want at least one of "+strings.Join(m.anyOf, ", "), "")
	}
	next := 0
	for member := v.First(); member.Kind() != jsontree.Absent; member = member.After(v) {
		name := member.Name()
		c.member(name)
		switch k := m.find(name, next); {
		case k < 0:
			c.unknown(m.names()...)
		case member.Kind() == jsontree.Null:
			c.null(m.nullHint(string(name), v))
		default:
			m.rules[k].rule(c, member)
			next = k + 1
		}
		c.back()
	}
}

// open checks an object that may hold anything but null.
func open(c *checker, v jsontree.Value) {
	if c.object(v) {
		c.noNull(v)
	}
}

func anything(c *checker, v jsontree.Value) { c.noNull(v) }

func digest(c *checker, v jsontree.Value) {
	c.closed(&digestMembers, v)
	if v.Kind() == jsontree.Object && v.Len() == 0 {
		c.fail(CodeValue, "a digest needs at least one of sha256, sha384, sha512", "")
	}
}

func list(element rule, least int) rule {
	return func(c *checker, v jsontree.Value) { c.list(v, element, least) }
}

func (c *checker) messages(v jsontree.Value) { c.list(v, (*checker).message, 1) }

// list checks an array.
func (c *checker) list(v jsontree.Value, element rule, least int) {
	if v.Kind() != jsontree.Array {
		c.wrongType(v, "an array")
		return
	}
	if v.Len() < least {
		c.fail(CodeValue, fmt.Sprintf("want at least %d element", least), "")
	}
	for i, e := 0, v.First(); e.Kind() != jsontree.Absent; i, e = i+1, e.After(v) {
		c.element(i)
		element(c, e)
		c.back()
	}
}

// unique refuses an element whose canonical form an earlier one has.
func unique(r rule) rule {
	return func(c *checker, v jsontree.Value) {
		r(c, v)
		seen := map[string]bool{}
		for i, e := range v.Elements() {
			if seen[string(e.Raw())] {
				c.element(i)
				c.fail(CodeUnique, "stands in the list already", "remove one of the two")
				c.back()
			}
			seen[string(e.Raw())] = true
		}
	}
}

// text checks a string.
func (c *checker) text(v jsontree.Value, want string, ok func([]byte) bool) {
	if v.Kind() != jsontree.String {
		c.wrongType(v, want)
	} else if !ok(v.Bytes()) {
		c.fail(CodeValue, "want "+want, "")
	}
}

func promptText(c *checker, v jsontree.Value) {
	c.text(v, "a string", func([]byte) bool { return true })
}

func nonEmpty(c *checker, v jsontree.Value) {
	c.text(v, "a non-empty string", func(s []byte) bool { return len(s) > 0 })
}

func absoluteURI(c *checker, v jsontree.Value) {
	c.text(v, "an absolute URI (RFC 3986)", isAbsoluteURI[[]byte])
}

func mediaType(c *checker, v jsontree.Value) {
	c.text(v, "a media type such as text/plain, without parameters", func(s []byte) bool { return mediatype.Valid(string(s)) })
}

func runID(c *checker, v jsontree.Value) {
	c.text(v, "a run identity: airun:1:sha256: and 64 lower-case hex digits", isID)
}

func oneOf(values ...string) rule {
	want := strconv.Quote(values[0])
	if len(values) > 1 {
		want = "one of " + strings.Join(values, ", ")
	}
	return func(c *checker, v jsontree.Value) {
		c.text(v, want, func(s []byte) bool {
			return slices.ContainsFunc(values, func(v string) bool { return v == string(s) })
		})
	}
}

func hexDigits(n int) rule {
	return func(c *checker, v jsontree.Value) {
		switch s := v.Bytes(); {
		case v.Kind() != jsontree.String:
			c.wrongType(v, "a string of hex digits")
		case len(s) != n:
			c.fail(CodeValue, fmt.Sprintf("%d hex digits, want %d", len(s), n), "")
		case !isLowerHex(s):
			c.fail(CodeValue, "want lower-case hex digits only", "")
		}
	}
}

func hasAny(v jsontree.Value, names ...string) bool {
	for _, name := range names {
		if v.Get(name).Kind() != jsontree.Absent {
			return true
		}
	}
	return false
}

func isID(s []byte) bool {
	_, err := parseID(s)
	return err == nil
}

// member and element go one step deeper, back one step up.
func (c *checker) member(name []byte) { c.path = append(c.path, step{name: name}) }
func (c *checker) element(i int)      { c.path = append(c.path, step{index: i}) }
func (c *checker) back()              { c.path = c.path[:len(c.path)-1] }

// pointer is the RFC 6901 pointer of the path, and of a member below it if one is named.
func (c *checker) pointer(below ...string) string {
	var b strings.Builder
	for _, s := range c.path {
		b.WriteString("/" + jsontree.EscapePointer(s.String()))
	}
	for _, name := range below {
		b.WriteString("/" + jsontree.EscapePointer(name))
	}
	return b.String()
}

// add notes a problem at the path, or at a member below it.
func (c *checker) add(p Problem, below ...string) {
	if !enough(c.problems) {
		p.Pointer = c.pointer(below...)
		c.problems = append(c.problems, p)
	}
}

func (c *checker) fail(code Code, message, hint string) {
	c.add(Problem{Severity: Error, Code: code, Message: message, Hint: hint})
}

func (c *checker) missing(name string) {
	hint := ""
	if len(c.path) == 0 {
		hint = missingHints[name]
	}
	c.add(Problem{Severity: Error, Code: CodeRequired, Message: "required member is missing", Hint: hint}, name)
}

// missingHints are for the members of the declaration itself.
var missingHints = map[string]string{
	"schema":      `add "schema": "` + Schema + `"`,
	"prompt":      `write "prompt": {} for a run without a prompt`,
	"parameters":  `write "parameters": {} for a run without parameters`,
	"context":     `write "context": [] for a run without context`,
	"constraints": `write "constraints": {} for a run without constraints`,
}

// unknown refuses a member where there can only be those of these names.
func (c *checker) unknown(known ...string) {
	hint := "the members here are " + strings.Join(known, ", ")
	if len(c.path) == 1 {
		hint = "what the run will use goes in parameters or constraints; what it does or makes has no place in a declaration; for anything else there is extensions"
	}
	c.fail(CodeUnknown, "unknown member", hint)
}

func (c *checker) wrongType(v jsontree.Value, want string) {
	if v.Kind() == jsontree.Null {
		c.null(removeElement) // members have hints of their own
		return
	}
	c.fail(CodeType, fmt.Sprintf("is of type %s, want %s", v.Kind(), want), "")
}

func (c *checker) null(hint string) { c.fail(CodeNull, "null is refused", hint) }

func (c *checker) object(v jsontree.Value) bool {
	if v.Kind() == jsontree.Object {
		return true
	}
	c.wrongType(v, "an object")
	return false
}

// noNull refuses null in v and everywhere below it.
func (c *checker) noNull(v jsontree.Value) {
	if !v.Has(jsontree.Null) {
		return
	}
	for name, m := range v.Members() {
		c.member(name)
		if m.Kind() == jsontree.Null {
			c.null(c.memberHint())
		}
		c.noNull(m)
		c.back()
	}
	for i, e := range v.Elements() {
		c.element(i)
		if e.Kind() == jsontree.Null {
			c.null(c.elementHint())
		}
		c.noNull(e)
		c.back()
	}
}
