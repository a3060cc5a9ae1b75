package identity

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/mediatype"
)

// This file is validate.go as it was before it took no copies of strings, for FuzzValidate to compare.

// validate holds a declaration against its schema and lists the errors, without
// their place in the source. declaration.schema.json says the same in JSON Schema;
// a test holds the two to one answer.
func oldValidate(root jsontree.Value) []Problem {
	c := &oldChecker{}
	c.declaration(root)
	return c.problems
}

// checker walks a declaration; path is where it stands.
type oldChecker struct {
	path     []oldStep
	problems []Problem
}

type oldStep = step

// rule checks the value at the checker's path.
type oldRule func(*oldChecker, jsontree.Value)

// members says what a closed object may hold; required is in the order of the spec.
type oldMembers struct {
	required []string
	anyOf    []string          // at least one of these is required, too
	nulls    map[string]string // hints for members that are null, where there is more to say than nullHint does
	rules    map[string]oldRule
}

var (
	oldDeclarationMembers = oldMembers{
		required: []string{"schema", "kind", "model", "prompt", "parameters", "context", "constraints"},
		nulls:    declarationNulls,
		rules: map[string]oldRule{
			"schema":      oldOneOf(Schema),
			"kind":        oldOneOf(string(Inference), string(Agent), string(Training), string(Evaluation), string(Batch), string(Other)),
			"model":       oldClosed(&oldModelMembers),
			"prompt":      (*oldChecker).prompt,
			"parameters":  oldOpen,
			"context":     oldList(oldClosed(&oldResourceMembers), 0),
			"constraints": oldOpen,
			"parents":     oldUnique(oldList(oldText("a run identity: airun:1:sha256: and 64 lower-case hex digits", oldIsID), 0)),
			"extensions":  (*oldChecker).extensions,
		},
	}
	oldModelMembers = oldMembers{
		required: []string{"name"},
		rules: map[string]oldRule{
			"name":       oldNonEmpty,
			"provider":   oldNonEmpty,
			"version":    oldNonEmpty,
			"uri":        oldAbsoluteURI,
			"digest":     oldDigest,
			"components": oldList(oldClosed(&oldResourceMembers), 0),
		},
	}
	oldResourceMembers = oldMembers{
		required: []string{"role", "name"},
		anyOf:    []string{"digest", "content", "uri"},
		rules: map[string]oldRule{
			"role": oldOneOf("tool", "dataset", "document", "code", "image", "adapter", "tokenizer",
				"template", "memory", "environment", "harness", "other"),
			"name":      oldNonEmpty,
			"digest":    oldDigest,
			"content":   oldAnything,
			"uri":       oldAbsoluteURI,
			"size":      (*oldChecker).size,
			"mediaType": oldMediaType,
			"version":   oldNonEmpty,
		},
	}
	oldDigestMembers = oldMembers{
		nulls: map[string]string{"sha256": digestNull, "sha384": digestNull, "sha512": digestNull},
		rules: map[string]oldRule{"sha256": oldHexDigits(64), "sha384": oldHexDigits(96), "sha512": oldHexDigits(128)},
	}

	oldNonEmpty    = oldText("a non-empty string", func(s string) bool { return s != "" })
	oldAbsoluteURI = oldText("an absolute URI (RFC 3986)", oldIsAbsoluteURI)
	oldMediaType   = oldText("a media type such as text/plain, without parameters", mediatype.Valid)
)

func (c *oldChecker) declaration(root jsontree.Value) { oldClosed(&oldDeclarationMembers)(c, root) }

func (c *oldChecker) prompt(v jsontree.Value) {
	if !c.object(v) {
		return
	}
	var forms []string
	sized := false
	for name, m := range v.Members() {
		c.member(name)
		switch name := string(name); name {
		case "messages", "text", "digest":
			c.promptForm(name, m, v)
			if m.Kind() != jsontree.Null {
				forms = append(forms, name)
			}
		case "size", "mediaType":
			c.promptForm(name, m, v)
			sized = sized || m.Kind() != jsontree.Null
		default:
			c.unknown("digest", "mediaType", "messages", "size", "text")
		}
		c.back()
	}
	if len(forms) > 1 || sized && !slices.Equal(forms, []string{"digest"}) {
		c.fail(CodeValue, "a prompt is exactly one of: messages; text; digest with size and mediaType; {} for none", "")
	}
}

// promptForm checks a member of a prompt.
func (c *oldChecker) promptForm(name string, m, prompt jsontree.Value) {
	if m.Kind() == jsontree.Null {
		c.null(promptHint(prompt))
		return
	}
	switch name {
	case "messages":
		oldList((*oldChecker).message, 1)(c, m)
	case "text":
		oldText("a string", func(string) bool { return true })(c, m)
	case "digest":
		oldDigest(c, m)
	case "size":
		c.size(m)
	case "mediaType":
		oldMediaType(c, m)
	}
}

func (c *oldChecker) message(v jsontree.Value) {
	if !c.object(v) {
		return
	}
	if !oldHasAny(v, "role") {
		c.missing("role")
	}
	for name, m := range v.Members() {
		c.member(name)
		switch string(name) {
		case "role":
			if m.Kind() == jsontree.Null {
				c.null("write it: role is required")
			} else {
				oldNonEmpty(c, m)
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

func (c *oldChecker) extensions(v jsontree.Value) {
	if !c.object(v) {
		return
	}
	for name, m := range v.Members() {
		c.member(name)
		if !oldIsAbsoluteURI(string(name)) {
			c.fail(CodeValue, "extensions are named by an absolute URI (RFC 3986)", "use a URI that you control")
		}
		if m.Kind() == jsontree.Null {
			c.null("leave the extension out, or write {} if that it is named is all that it says")
		}
		c.noNull(m)
		c.back()
	}
}

func (c *oldChecker) size(v jsontree.Value) {
	if v.Kind() != jsontree.Number {
		c.wrongType(v, "an integer")
		return
	}
	if n, err := strconv.ParseInt(string(v.Raw()), 10, 64); err != nil || n < 0 || n >= 1<<53 {
		c.fail(CodeValue, "want an integer from 0 to 9007199254740991, in bytes", "")
	}
}

// closed checks an object that may hold only the members that m names.
func oldClosed(m *oldMembers) oldRule {
	return func(c *oldChecker, v jsontree.Value) {
		if !c.object(v) {
			return
		}
		for _, name := range m.required {
			if !oldHasAny(v, name) {
				c.missing(name)
			}
		}
		if len(m.anyOf) > 0 && !oldHasAny(v, m.anyOf...) {
			c.fail(CodeRequired, "want at least one of "+strings.Join(m.anyOf, ", "), "")
		}
		for name, member := range v.Members() {
			c.member(name)
			if r, ok := m.rules[string(name)]; ok && member.Kind() == jsontree.Null {
				c.null((&members{required: m.required, anyOf: m.anyOf, nulls: m.nulls}).nullHint(string(name), v))
			} else if ok {
				r(c, member)
			} else {
				c.unknown(slices.Sorted(maps.Keys(m.rules))...)
			}
			c.back()
		}
	}
}

// open checks an object that may hold anything but null.
func oldOpen(c *oldChecker, v jsontree.Value) {
	if c.object(v) {
		c.noNull(v)
	}
}

func oldAnything(c *oldChecker, v jsontree.Value) { c.noNull(v) }

func oldDigest(c *oldChecker, v jsontree.Value) {
	oldClosed(&oldDigestMembers)(c, v)
	if v.Kind() == jsontree.Object && v.Len() == 0 {
		c.fail(CodeValue, "a digest needs at least one of sha256, sha384, sha512", "")
	}
}

func oldList(element oldRule, least int) oldRule {
	return func(c *oldChecker, v jsontree.Value) {
		if v.Kind() != jsontree.Array {
			c.wrongType(v, "an array")
			return
		}
		if v.Len() < least {
			c.fail(CodeValue, fmt.Sprintf("want at least %d element", least), "")
		}
		for i, e := range v.Elements() {
			c.element(i)
			element(c, e)
			c.back()
		}
	}
}

// unique refuses an element whose canonical form an earlier one has.
func oldUnique(r oldRule) oldRule {
	return func(c *oldChecker, v jsontree.Value) {
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

func oldText(want string, ok func(string) bool) oldRule {
	return func(c *oldChecker, v jsontree.Value) {
		if v.Kind() != jsontree.String {
			c.wrongType(v, want)
		} else if !ok(v.Text()) {
			c.fail(CodeValue, "want "+want, "")
		}
	}
}

func oldOneOf(values ...string) oldRule {
	want := strconv.Quote(values[0])
	if len(values) > 1 {
		want = "one of " + strings.Join(values, ", ")
	}
	return oldText(want, func(s string) bool { return slices.Contains(values, s) })
}

func oldHexDigits(n int) oldRule {
	return func(c *oldChecker, v jsontree.Value) {
		switch s := v.Text(); {
		case v.Kind() != jsontree.String:
			c.wrongType(v, "a string of hex digits")
		case len(s) != n:
			c.fail(CodeValue, fmt.Sprintf("%d hex digits, want %d", len(s), n), "")
		case !isLowerHex(s):
			c.fail(CodeValue, "want lower-case hex digits only", "")
		}
	}
}

func oldHasAny(v jsontree.Value, names ...string) bool {
	for _, name := range names {
		if v.Get(name).Kind() != jsontree.Absent {
			return true
		}
	}
	return false
}

func oldIsID(s string) bool {
	_, err := ParseID(s)
	return err == nil
}

// member and element go one step deeper, back one step up.
func (c *oldChecker) member(name []byte) { c.path = append(c.path, oldStep{name: name}) }
func (c *oldChecker) element(i int)      { c.path = append(c.path, oldStep{index: i}) }
func (c *oldChecker) back()              { c.path = c.path[:len(c.path)-1] }

// pointer is the RFC 6901 pointer of the path, and of a member below it if one is named.
func (c *oldChecker) pointer(below ...string) string {
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
func (c *oldChecker) add(p Problem, below ...string) {
	if !enough(c.problems) {
		p.Pointer = c.pointer(below...)
		c.problems = append(c.problems, p)
	}
}

func (c *oldChecker) fail(code Code, message, hint string) {
	c.add(Problem{Severity: Error, Code: code, Message: message, Hint: hint})
}

func (c *oldChecker) missing(name string) {
	hint := ""
	if len(c.path) == 0 {
		hint = oldMissingHints[name]
	}
	c.add(Problem{Severity: Error, Code: CodeRequired, Message: "required member is missing", Hint: hint}, name)
}

// missingHints are for the members of the declaration itself.
var oldMissingHints = map[string]string{
	"schema":      `add "schema": "` + Schema + `"`,
	"prompt":      `write "prompt": {} for a run without a prompt`,
	"parameters":  `write "parameters": {} for a run without parameters`,
	"context":     `write "context": [] for a run without context`,
	"constraints": `write "constraints": {} for a run without constraints`,
}

// unknown refuses a member where there can only be those of these names.
func (c *oldChecker) unknown(known ...string) {
	hint := "the members here are " + strings.Join(known, ", ")
	if len(c.path) == 1 {
		hint = "what the run will use goes in parameters or constraints; what it does or makes has no place in a declaration; for anything else there is extensions"
	}
	c.fail(CodeUnknown, "unknown member", hint)
}

func (c *oldChecker) wrongType(v jsontree.Value, want string) {
	if v.Kind() == jsontree.Null {
		c.null(removeElement) // members have hints of their own
		return
	}
	c.fail(CodeType, fmt.Sprintf("is of type %s, want %s", v.Kind(), want), "")
}

func (c *oldChecker) null(hint string) { c.fail(CodeNull, "null is refused", hint) }

func (c *oldChecker) object(v jsontree.Value) bool {
	if v.Kind() == jsontree.Object {
		return true
	}
	c.wrongType(v, "an object")
	return false
}

// noNull refuses null in v and everywhere below it.
func (c *oldChecker) noNull(v jsontree.Value) {
	for name, m := range v.Members() {
		c.member(name)
		if m.Kind() == jsontree.Null {
			c.null((&checker{path: c.path}).memberHint())
		}
		c.noNull(m)
		c.back()
	}
	for i, e := range v.Elements() {
		c.element(i)
		if e.Kind() == jsontree.Null {
			c.null((&checker{path: c.path}).elementHint())
		}
		c.noNull(e)
		c.back()
	}
}

func oldIsAbsoluteURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || !isLetter(scheme[0]) {
		return false
	}
	return allBytes(scheme, func(c byte) bool { return isAlnum(c) || strings.IndexByte("+.-", c) >= 0 }) &&
		allBytes(rest, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-._~:/?#[]@!$&'()*+,;=%", c) >= 0 })
}

// TestAbsoluteURI puts each byte in each place.
func TestAbsoluteURI(t *testing.T) {
	for _, text := range []string{"", ":", "a", "a:", ":a", "ab:cd", "a:b:c", "https://example.com/x?y#z"} {
		for i := range len(text) + 1 {
			for c := range 256 {
				s := text[:i] + string([]byte{byte(c)}) + text[i:]
				if got, want := isAbsoluteURI(s), oldIsAbsoluteURI(s); got != want {
					t.Errorf("%q: %v, want %v", s, got, want)
				}
				if isAbsoluteURI([]byte(s)) != isAbsoluteURI(s) {
					t.Errorf("%q: bytes and strings differ", s)
				}
			}
		}
	}
}
