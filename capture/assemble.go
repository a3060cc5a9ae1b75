package capture

import (
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// arrange puts groups in order, and takes in what stands beside the body.
func (d *declarer) arrange() {
	byName := func(a, b group) int { return canonical.Compare(a.name, b.name) }
	slices.SortFunc(d.first, byName)
	slices.SortFunc(d.tools, func(a, b group) int {
		if (a.name == "tools") != (b.name == "tools") {
			if a.name == "tools" {
				return -1
			}
			return 1
		}
		return byName(a, b)
	})
	for _, f := range d.settings {
		d.parameters = append(appendString(d.parameters, []byte(f.name)), ':')
		if f.set {
			d.parameters = append(appendStrings(d.parameters, f.values), ',')
		} else {
			d.parameters = append(appendString(d.parameters, []byte(f.values[0])), ',')
		}
	}
	if d.location != "" {
		d.constraints = append(appendString(append(d.constraints, `"location":`...), []byte(d.location)), ',')
	}
	slices.SortStableFunc(d.events, func(a, b event) int { return compareTrails(a.trail, b.trail) })
}

// declaration puts the parts together. The text of tools is in canonical form as it is, and mostly the longest, so that it is not read
// again; what stands before and behind it gets its form by itself.
func (d *declarer) declaration(parents []identity.ID) (*identity.Declaration, error) {
	d.arrange()
	d.head = append(endList(append(append(d.head, `{"constraints":{`...), d.constraints...)), "}}"...)
	d.rest = d.appendRest(append(d.rest, contextStart...), parents)
	form, err := strict.Append(d.form, d.head)
	d.form = form
	if err == nil {
		n := len(form)
		if d.form, err = strict.Append(form, d.rest); err == nil {
			text, contents := d.join(d.form[:n], d.form[n:])
			root, err := jsontree.ParseAround(text, contents)
			if decl := identity.FromTree(root); err == nil && decl != nil {
				return decl, nil
			}
		}
	}
	text, _ := d.join(d.head, d.rest)
	return identity.Parse(text) // which says what is wrong
}

// strict is the form that identity v1 has.
var strict = canonical.Options{ExactNumbers: true, MaxDepth: limits.DeclarationDepth, MaxValues: limits.DeclarationValues}

// contextStart is how what stands behind the tools begins.
const contextStart = `{"context":[`

// join puts the tools between the two parts of a declaration, and tells where their contents are.
func (d *declarer) join(head, rest []byte) (text []byte, contents []jsontree.Span) {
	text = make([]byte, 0, len(head)+len(d.toolText)+len(rest))
	text = append(append(append(text, head[:len(head)-1]...), ','), contextStart[1:]...)
	contents = make([]jsontree.Span, 0, len(d.contents))
	for _, g := range d.tools {
		moved := len(text) - g.elements.Start
		for _, c := range d.contents[g.contents.Start:g.contents.End] {
			contents = append(contents, jsontree.Span{Start: c.Start + moved, End: c.End + moved})
		}
		text = append(text, d.toolText[g.elements.Start:g.elements.End]...)
	}
	if rest = rest[len(contextStart):]; rest[0] == ']' {
		text = endList(text)
	}
	return append(text, rest...), contents
}

// appendRest appends what stands behind the tools.
func (d *declarer) appendRest(dst []byte, parents []identity.ID) []byte {
	for _, e := range d.events {
		if e.what == Hashed {
			dst = append(e.bytes.append(dst, e.trail.String()), ',')
		}
	}
	for _, f := range d.files {
		r := resource{role: f.role, digest: f.digest, size: f.size}
		dst = append(r.append(dst, f.path), ',')
	}
	dst = d.appendInterface(append(endList(dst), `],"extensions":{`...))
	dst = append(dst, `},"kind":"`+d.table.kind+`","model":{"name":`...)
	if d.model != "" {
		dst = appendString(dst, []byte(d.model))
	} else {
		dst = append(dst, d.bodyModel...)
	}
	if d.provider != "" {
		dst = appendString(append(dst, `,"provider":`...), []byte(d.provider))
	}
	if d.revision != "" {
		dst = appendString(append(dst, `,"version":`...), []byte(d.revision))
	}
	dst = append(endList(append(append(dst, `},"parameters":{`...), d.parameters...)), '}')
	if len(parents) > 0 {
		var ids []string
		for _, p := range parents {
			ids = append(ids, p.String())
		}
		dst = appendStrings(append(dst, `,"parents":`...), ids)
	}
	dst = append(dst, `,"prompt":{`...)
	if len(d.first) > 0 || len(d.messages) > 0 {
		dst = append(dst, `"messages":[`...)
		for _, g := range d.first {
			dst = append(dst, g.text...)
		}
		dst = append(endList(append(dst, d.messages...)), ']')
	}
	return append(dst, `},"schema":"`+identity.Schema+`"}`...)
}

// appendInterface appends the extension interface v1 with its name.
func (d *declarer) appendInterface(dst []byte) []byte {
	dst = append(dst, `"`+Interface+`":{"api":"`+d.table.api+`"`...)
	for _, l := range []struct {
		name string
		what Outcome
	}{{"integers", Integer}, {"nulls", Null}, {"secrets", Withheld}} {
		if pointers := d.pointers(l.what); len(pointers) > 0 {
			dst = appendStrings(append(dst, `,"`+l.name+`":`...), pointers)
		}
	}
	return append(dst, '}')
}

// pointers are those of the values to which that happened, in order.
func (d *declarer) pointers(what Outcome) []string {
	var l []string
	for _, e := range d.events {
		if e.what == what {
			l = append(l, e.trail.String())
		}
	}
	return slices.Compact(l)
}

func (r *resource) append(dst []byte, name string) []byte {
	dst = appendString(append(dst, `{"role":"`+r.role+`","name":`...), []byte(name))
	dst = append(dst, `,"digest":{"sha256":"`...)
	dst = hex.AppendEncode(dst, r.digest[:])
	dst = strconv.AppendInt(append(dst, `"},"size":`...), r.size, 10)
	if r.media != "" {
		dst = append(dst, `,"mediaType":"`+r.media+`"`...)
	}
	return append(dst, '}')
}

// endList takes off the comma behind the last member or element.
func endList(dst []byte) []byte {
	if dst[len(dst)-1] == ',' {
		return dst[:len(dst)-1]
	}
	return dst
}

func appendStrings(dst []byte, l []string) []byte {
	dst = append(dst, '[')
	for i, s := range l {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, []byte(s))
	}
	return append(dst, ']')
}
