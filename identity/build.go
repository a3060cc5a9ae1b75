package identity

import (
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
)

// Build makes the declaration of a run that is in Go values, under the same rules as Parse: Build(d.Run()) is d. The
// error is an *InvalidError, whose problems have pointers, and no place in a text.
//
// JSON values are what encoding/json has for them (nil, bool, string, float64, []any, map[string]any), and also integers,
// float32, json.Number, other slices and maps with string keys, pointers to all of these, and types that are a
// json.Marshaler (json.RawMessage, *big.Int) or an encoding.TextMarshaler (ID). Numbers are exact as in Parse: an integer
// beyond 2^53 that RFC 8785 would write as another one is refused, and belongs in a string. A float64 is written with the
// fewest digits that identify it. Refused are nil, which is null, NaN, infinities, strings that are not UTF-8, []byte and
// structs.
func Build(r Run) (*Declaration, error) {
	b := &builder{}
	b.value(runMembers(b, r))
	if len(b.problems) > 0 {
		return nil, &InvalidError{b.problems}
	}
	d, err := Parse(b.text)
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		for i := range invalid.Problems {
			p := &invalid.Problems[i]
			p.Offset, p.Line, p.Column = 0, 0, 0 // of a text that the caller has not seen
		}
	}
	return d, err
}

// builder writes JSON text; the checker in it knows where it stands, and what cannot be written.
type builder struct {
	checker
	text   []byte
	values int
}

func runMembers(b *builder, r Run) map[string]any {
	d := map[string]any{
		"schema":      Schema,
		"model":       modelMembersOf(r.Model),
		"prompt":      b.promptMembers(r.Prompt),
		"parameters":  orEmpty(r.Parameters),
		"context":     resourceList(r.Context),
		"constraints": orEmpty(r.Constraints),
	}
	put(d, "kind", string(r.Kind))
	if r.Parents != nil {
		d["parents"] = r.Parents
	}
	if r.Extensions != nil {
		d["extensions"] = r.Extensions
	}
	return d
}

func orEmpty(members map[string]any) map[string]any {
	if members == nil {
		return map[string]any{}
	}
	return members
}

// put sets a member unless it is "".
func put(members map[string]any, name, value string) {
	if value != "" {
		members[name] = value
	}
}

func putDigests(members map[string]any, d Digests) {
	digests := map[string]any{}
	for algorithm, sum := range d.All() {
		digests[algorithm] = hex.EncodeToString(sum)
	}
	if len(digests) > 0 {
		members["digest"] = digests
	}
}

func modelMembersOf(m Model) map[string]any {
	members := map[string]any{}
	put(members, "name", m.Name)
	put(members, "provider", m.Provider)
	put(members, "version", m.Version)
	put(members, "uri", m.URI)
	putDigests(members, m.Digests)
	if m.Components != nil {
		members["components"] = resourceList(m.Components)
	}
	return members
}

func resourceList(all []Resource) []any {
	list := []any{}
	for _, r := range all {
		members := map[string]any{}
		put(members, "role", r.Role)
		put(members, "name", r.Name)
		put(members, "version", r.Version)
		put(members, "mediaType", r.MediaType)
		put(members, "uri", r.URI)
		putDigests(members, r.Digests)
		if r.Size != nil {
			members["size"] = *r.Size
		}
		if r.Content != nil {
			members["content"] = json.RawMessage(r.Content)
		}
		list = append(list, members)
	}
	return list
}

func (b *builder) promptMembers(p Prompt) map[string]any {
	members := map[string]any{}
	switch p.form {
	case "text":
		members["text"] = p.text
	case "messages":
		list := []any{}
		for i, m := range p.messages {
			list = append(list, b.messageMembers(i, m))
		}
		members["messages"] = list
	case "digest":
		members["digest"] = map[string]any{} // which is refused unless there is one
		putDigests(members, p.digests)
		put(members, "mediaType", p.mediaType)
		if p.size != nil {
			members["size"] = *p.size
		}
	}
	return members
}

func (b *builder) messageMembers(i int, m Message) map[string]any {
	members := map[string]any{}
	for name, v := range m.Members {
		if name == "role" || name == "content" {
			b.add(Problem{Severity: Error, Code: CodeUnique, Message: "stands in the message's own field already",
				Hint: "set Role or Content, and leave it out of Members"}, "prompt", "messages", strconv.Itoa(i), name)
		}
		members[name] = v
	}
	put(members, "role", m.Role)
	if m.Content != nil {
		members["content"] = m.Content
	}
	return members
}

// value writes v, or adds the reason why it cannot be written.
func (b *builder) value(v any) {
	if b.full() {
		return
	}
	switch v := v.(type) {
	case nil:
		b.text = append(b.text, "null"...) // which Parse refuses, with what to write instead
	case string:
		b.string(v)
	case json.Number:
		if !numberSyntax.MatchString(string(v)) {
			b.fail("syntax", strconv.Quote(string(v))+" is not a JSON number", "")
		}
		b.text = append(b.text, v...)
	default:
		b.reflected(reflect.ValueOf(v))
	}
}

// numberSyntax is RFC 8259, section 6.
var numberSyntax = lazyregexp.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// full says that more cannot be told or declared: values that contain themselves have no end.
func (b *builder) full() bool {
	b.values++
	switch {
	case enough(b.problems):
	case len(b.path) > limits.DeclarationDepth:
		b.fail("depth", fmt.Sprintf("arrays and objects nest deeper than %d", limits.DeclarationDepth), "put the content in by digest")
	case b.values > 2*limits.DeclarationValues: // of which half may be pointers; Parse counts
		if b.values == 2*limits.DeclarationValues+1 {
			b.fail("count", fmt.Sprintf("more than %d members and elements", limits.DeclarationValues), "put the content in by digest")
		}
	default:
		return false
	}
	return true
}

func (b *builder) reflected(v reflect.Value) {
	if canBeNil(v.Kind()) && v.IsNil() {
		b.value(nil)
		return
	}
	switch m := v.Interface().(type) {
	case json.Marshaler:
		text, err := m.MarshalJSON()
		b.raw(text, err)
		return
	case encoding.TextMarshaler:
		text, err := m.MarshalText()
		if err != nil {
			b.fail(CodeValue, "cannot be written: "+err.Error(), "")
		}
		b.string(string(text))
		return
	}
	switch kind := v.Kind(); {
	case kind == reflect.Bool:
		b.text = strconv.AppendBool(b.text, v.Bool())
	case v.CanInt():
		b.text = strconv.AppendInt(b.text, v.Int(), 10)
	case v.CanUint() && kind != reflect.Uintptr:
		b.text = strconv.AppendUint(b.text, v.Uint(), 10)
	case v.CanFloat():
		b.float(v.Float(), v.Type().Bits())
	case kind == reflect.String:
		b.string(v.String())
	case kind == reflect.Pointer:
		b.value(v.Elem().Interface())
	case kind == reflect.Map && v.Type().Key().Kind() == reflect.String:
		b.object(v)
	case (kind == reflect.Slice || kind == reflect.Array) && v.Type().Elem().Kind() != reflect.Uint8:
		b.array(v)
	default:
		b.fail(CodeType, fmt.Sprintf("is of Go type %s, which has no one JSON value", v.Type()),
			"use a string, a number, a bool, a slice, a map with string keys, or json.RawMessage")
	}
}

func canBeNil(k reflect.Kind) bool {
	return k == reflect.Pointer || k == reflect.Map || k == reflect.Slice || k == reflect.Func || k == reflect.Chan
}

func (b *builder) string(s string) {
	if !utf8.ValidString(s) {
		b.fail("utf8", "is not valid UTF-8", "put the content in by digest, or as text in base64")
		return
	}
	text, _ := json.Marshal(s) // which cannot fail for a string
	b.text = append(b.text, text...)
}

func (b *builder) float(f float64, bits int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		b.fail(CodeValue, fmt.Sprintf("%v is not a number that JSON has", f), "")
		return
	}
	b.text = strconv.AppendFloat(b.text, f, 'g', -1, bits)
}

// raw writes JSON text that comes from elsewhere.
func (b *builder) raw(text []byte, err error) {
	var form []byte
	if err == nil {
		form, err = rules.Append(nil, text)
	}
	var ce *canonical.Error
	switch {
	case errors.As(err, &ce):
		p := textProblem(jsonmend.Explain(text, ce))
		p.Offset, p.Pointer = 0, b.pointer()+p.Pointer
		if !enough(b.problems) {
			b.problems = append(b.problems, p)
		}
	case err != nil:
		b.fail(CodeValue, "cannot be written: "+err.Error(), "")
	default:
		b.text = append(b.text, form...)
	}
}

func (b *builder) array(v reflect.Value) {
	b.text = append(b.text, '[')
	for i := range v.Len() {
		if i > 0 {
			b.text = append(b.text, ',')
		}
		b.element(i)
		b.value(v.Index(i).Interface())
		b.back()
	}
	b.text = append(b.text, ']')
}

// object writes the members in the order of their names.
func (b *builder) object(v reflect.Value) {
	members := map[string]any{}
	for at := v.MapRange(); at.Next(); {
		members[at.Key().String()] = at.Value().Interface()
	}
	b.text = append(b.text, '{')
	for i, name := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b.text = append(b.text, ',')
		}
		b.member([]byte(name))
		b.string(name)
		b.text = append(b.text, ':')
		b.value(members[name])
		b.back()
	}
	b.text = append(b.text, '}')
}
